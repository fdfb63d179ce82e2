"""What a real mount shows of real images, held against what Linux's own drivers show."""

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import command
from tests.command import run
from tests.conftest import Mounted
from tests.corpus import CORPUS, Case, Record, cases, needs_corpus
from tests.mount.improvements import ABSENT, IMPROVEMENTS, OPENED, RELOCATION_FOLDERS
from tests.snapshot import snapshot

_FIELDS = (
    "type",
    "mode",
    "uid",
    "gid",
    "nlink",
    "size",
    "mtime_ns",
    "target",
    "rdev",
    "sha256",
    "sha256_before_error",
    "error",
)
_MOUNTABLE = [case for case in cases() if case.mounts]
_REFUSED = [case for case in cases() if not case.mounts and case.image not in OPENED]


@pytest.fixture(scope="module")
def compared(request: pytest.FixtureRequest) -> Iterator[Counter[str]]:
    """Counts what is compared, and says so in the end."""
    counted: Counter[str] = Counter()
    yield counted
    capture = request.config.pluginmanager.get_plugin("capturemanager")
    assert capture is not None
    with capture.global_and_fixture_disabled():
        print(
            f"\ncompared with Linux: {counted['views']} views of "
            f"{len({case.image for case in _MOUNTABLE})} images, {counted['paths']} paths, "
            f"{counted['bytes']} bytes"
        )


@needs_corpus
@pytest.mark.slow
@pytest.mark.usefixtures("as_root")
@pytest.mark.parametrize("case", _MOUNTABLE, ids=lambda case: f"{case.image}:{case.view}")
def test_shows_what_linux_shows(case: Case, mounted: Mounted, compared: Counter[str]) -> None:
    """Every field of every path is equal, or is a listed improvement with its better value."""
    statfs, *records = case.truth
    truth = {record["path"]: record for record in records}
    with mounted(case.path, *case.options, allow=("damaged image",)) as folder:
        shown = snapshot(folder)
        size = os.statvfs(folder)
    assert (size.f_bsize, size.f_blocks) == (statfs["bsize"], statfs["blocks"])
    differing = _differences(truth, shown)
    expected = dict(IMPROVEMENTS.get((case.image, case.view), {}))
    for name in RELOCATION_FOLDERS & truth.keys() - shown.keys():
        # Linux shows the folder that relocated directories were moved out of, empty.
        assert not any(path.startswith(f"{name}/") for path in truth)
        expected[name] = ABSENT
    assert differing == expected
    _check_numbers(shown)
    compared.update(views=1, paths=len(truth), bytes=sum(r.get("size", 0) for r in records))


@needs_corpus
@pytest.mark.slow
@pytest.mark.parametrize("case", _REFUSED, ids=lambda case: f"{case.image}:{case.view}")
def test_refuses_what_linux_refuses(case: Case, tmp_path: Path, fuse: None) -> None:
    """One sentence that names the image, and the exit code that fits."""
    options = [word for option in case.options for word in ("-o", option)]
    done = run(case.path, tmp_path / "mount", *command.way, *options)
    assert done.returncode in (2, 11, 30, 31), done
    assert done.stderr.startswith("isomount: ")
    assert case.image in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "mount").exists()


@needs_corpus
@pytest.mark.parametrize("image", sorted(OPENED))
def test_opens_what_linux_refuses(image: str, mounted: Mounted) -> None:
    with mounted(CORPUS / image, allow=("damaged image", "is cut off")) as folder:
        assert snapshot(folder).keys() > {"."}


def _differences(truth: dict[str, Record], shown: dict[str, Record]) -> Record:
    """Path to what is shown otherwise: ABSENT, or the fields with our values."""
    found: Record = dict.fromkeys(truth.keys() - shown.keys(), ABSENT)
    for path, ours in shown.items():
        kernels = truth.get(path, {})
        fields = {
            field: ours.get(field) for field in _FIELDS if ours.get(field) != kernels.get(field)
        }
        if fields:
            found[path] = fields
    return found


def _check_numbers(shown: dict[str, Record]) -> None:
    """Listings name the inode and the type that lstat shows; only hard links share a number."""
    owners: dict[int, Record] = {}
    for path, record in shown.items():
        if "ino" not in record:
            continue
        if path != ".":
            number, kind = record["listed"]
            assert number == record["ino"], path
            assert kind in (record["type"], None), path
        if record["type"] == "file":
            assert record["blocks"] == -(-record["size"] // 512), path
        first = owners.setdefault(record["ino"], record)
        if first is not record:
            assert record["nlink"] > 1, path
            assert record.get("sha256") == first.get("sha256"), path
