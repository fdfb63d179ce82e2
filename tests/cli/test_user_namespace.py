"""In a user namespace, as rootless containers have: owners that do not exist there."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from isomount.formats.options import Mapped, ViewOptions
from isomount.owners import mapped
from tests.authoring import genisoimage, write_tree
from tests.command import COMMAND, PATIENCE, as_ordinary_user, environment

_NAMESPACE = ("unshare", "--user", "--map-root-user", "--mount")


@pytest.fixture
def private(user_folder: Path) -> Path:
    """An image with private files of a user and of root, with Rock Ridge and as UDF."""
    tree = write_tree(user_folder / "tree", {"theirs": b"secret\n", "roots": b"root's\n"})
    for name, owner in (("theirs", 1234), ("roots", 0)):
        os.chown(tree / name, owner, owner)
        (tree / name).chmod(0o600)
    image = genisoimage(user_folder / "x.iso", tree, "-R")
    image.chmod(0o644)
    user_folder.chmod(0o777)  # its owner is nobody in the namespace of root's
    return image


@pytest.fixture(params=["root", "user"])
def in_namespace(request: pytest.FixtureRequest, ordinary_user: None) -> tuple[str, ...]:
    """The words before a command that give it a namespace of its own, as root or as anybody."""
    prefix = (*(as_ordinary_user() if request.param == "user" else ()), *_NAMESPACE)
    attempt = subprocess.run(
        [*prefix, sys.executable, "-c", "import isomount, pyfuse3, trio"],
        env=environment(),
        capture_output=True,
        check=False,
        timeout=PATIENCE,
    )
    if attempt.returncode != 0:  # Python in root's home, say, where nobody can look there
        pytest.skip(f"no user namespace for this: {attempt.stderr.decode().strip()}")
    return prefix


def does(prefix: tuple[str, ...], folder: Path, script: str) -> str:
    command = " ".join(COMMAND)
    done = subprocess.run(
        [
            *prefix,
            "sh",
            "-ec",
            f'isomount() {{ {command} "$@"; }}\ncd "$1"\n{script}',
            "sh",
            folder,
        ],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        env=environment(),
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_private_files_can_be_read(private: Path, in_namespace: tuple[str, ...]) -> None:
    script = """
    isomount x.iso m
    stat -c '%u %g %a' m/theirs m/roots
    cat m/theirs m/roots
    umount m; while [ -e m ]; do sleep 0.05; done
    isomount x.iso m -o uid=0,gid=0
    cat m/theirs
    umount m; while [ -e m ]; do sleep 0.05; done
    """
    said = does(in_namespace, private.parent, script)
    assert said == "0 0 600\n0 0 600\nsecret\nroot's\nsecret\n"


def test_private_files_can_be_extracted(private: Path, in_namespace: tuple[str, ...]) -> None:
    """Their owners could not be given there."""
    said = does(
        in_namespace, private.parent, "isomount extract -q -C out x.iso; stat -c '%u %a' out/theirs"
    )
    assert said == "0 600\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("         0          0 4294967295\n", None),
        ("", None),
        ("nonsense\n", None),
        ("0 1000 1\n", Mapped((range(1),), 7)),
        ("0 1000 1\n1 100000 65536\n", Mapped((range(1), range(1, 65537)), 7)),
    ],
)
def test_maps(text: str, expected: Mapped | None, tmp_path: Path) -> None:
    path = tmp_path / "uid_map"
    path.write_text(text)
    assert mapped(str(path), 7) == expected


def test_whom_a_file_is_shown_to_belong_to() -> None:
    known = ViewOptions(uids=Mapped((range(1), range(5, 9)), 3), gids=Mapped((range(1),), 4))
    assert [known.owner(number) for number in (0, 1, 5, 8, 9, 0xFFFFFFFF)] == [0, 3, 5, 8, 3, 3]
    assert [known.group(number) for number in (0, 1)] == [0, 4]
    assert [ViewOptions().owner(number) for number in (1, 0xFFFFFFFF)] == [1, 65534]
    assert ViewOptions(uid=6, uids=known.uids).owner(1) == 6, "what was asked for is done"
