"""The images that isomount.write.author writes, read back by other programs."""

import hashlib
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from pycdlib import PyCdlib
from pycdlib.pycdlibexception import PyCdlibInvalidInput

from isomount.write.author import (
    File,
    Folder,
    Symlink,
    TreeEntry,
    write_image,
)
from isomount.write.sample import sample_tree, write_sample
from tests.authoring import run_tool


def extract(image: Path, view: str, target: Path) -> None:
    """Copy the whole tree out with xorriso, an implementation that shares nothing with pycdlib."""
    source = ("-read_fs", view, "-indev", str(image))
    run_tool("xorriso", "-osirrox", "on", *source, "-extract", "/", str(target))


def test_the_sample_reads_back_whole(tmp_path: Path) -> None:
    sums = write_sample(tmp_path / "sample.iso")
    extract(tmp_path / "sample.iso", "norock", tmp_path / "joliet")
    extract(tmp_path / "sample.iso", "any", tmp_path / "rock")
    for view in "rock", "joliet":
        for path, digest in sums.items():
            assert hashlib.sha256((tmp_path / view / path).read_bytes()).hexdigest() == digest
    assert os.readlink(tmp_path / "rock/link-to-readme") == "README.txt"
    assert os.access(tmp_path / "rock/bin/run me.sh", os.X_OK)


def test_the_sample_shows_what_the_demo_promises() -> None:
    tree = sample_tree()
    sizes = [len(entry.data) for entry in tree.values() if isinstance(entry, File)]
    assert max(sizes) > 4 * 1024 * 1024
    assert max(path.count("/") for path in tree) > 8
    assert any(isinstance(entry, Symlink) for entry in tree.values())
    assert any(not path.isascii() for path in tree)


def test_the_entry_prints_sums_that_sha256sum_takes(tmp_path: Path) -> None:
    image = tmp_path / "sample.iso"
    sums = subprocess.run(
        [sys.executable, "-m", "isomount.write.sample", image],
        check=True,
        capture_output=True,
        timeout=60,
    ).stdout
    extract(image, "any", tmp_path / "tree")
    check = ["sha256sum", "--check", "--strict"]
    subprocess.run(check, input=sums, cwd=tmp_path / "tree", check=True, timeout=60)


@pytest.mark.parametrize("rock_ridge", ["1.09", "1.12"])
def test_modes_and_empty_folders(tmp_path: Path, rock_ridge: str) -> None:
    tree: dict[str, TreeEntry] = {
        "empty": Folder(0o700),
        "a/secret": File(b"x", 0o600),
        "a": Folder(0o711),
    }
    write_image(tmp_path / "i.iso", tree, rock_ridge=rock_ridge, joliet=None)
    extract(tmp_path / "i.iso", "any", tmp_path / "tree")
    modes = {path: (tmp_path / "tree" / path).stat().st_mode & 0o777 for path in tree}
    assert modes == {"empty": 0o700, "a/secret": 0o600, "a": 0o711}


def test_plain_names_of_ten_thousand_alike_files_are_legal_and_distinct(tmp_path: Path) -> None:
    tree = {f"the same beginning {n}.text": File(b"") for n in range(10_000)}
    write_image(tmp_path / "i.iso", tree, rock_ridge=None, joliet=3)
    cd = PyCdlib()
    cd.open(str(tmp_path / "i.iso"))
    names = {child.file_identifier() for child in cd.list_children(iso_path="/")}
    cd.close()
    assert len(names) == len(tree) + 2  # "." and ".."


def test_a_symlink_needs_rock_ridge(tmp_path: Path) -> None:
    with pytest.raises(PyCdlibInvalidInput):
        write_image(tmp_path / "i.iso", {"link": Symlink("x")}, rock_ridge=None)


def test_content_is_what_pycdlib_reads(tmp_path: Path) -> None:
    write_image(tmp_path / "i.iso", {"ä/b": File(b"bytes")}, label="LABEL", joliet=3)
    cd = PyCdlib()
    cd.open(str(tmp_path / "i.iso"))
    out = io.BytesIO()
    cd.get_file_from_iso_fp(out, joliet_path="/ä/b")
    assert cd.pvd.volume_identifier.rstrip() == b"LABEL"
    cd.close()
    assert out.getvalue() == b"bytes"
