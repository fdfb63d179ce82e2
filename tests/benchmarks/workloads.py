"""What is measured. Each workload runs real programs on a mount and checks what they saw."""

import json
import re
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from tests.benchmarks import images, probes
from tests.benchmarks.images import Image
from tests.benchmarks.mounts import Mounted
from tests.benchmarks.peers import Peer, RawFile
from tests.benchmarks.places import memory_folder
from tests.benchmarks.programs import MeasurementError, Ran, run

READERS = 4
RANDOM_READS = 20_000
_PAGE = 4096
_MIB = 1 << 20

# Measure -> seconds. A workload with one measure calls it "".
Measures = dict[str, float]


class State(StrEnum):
    """How much is in memory already."""

    DROPPED = "image dropped"  # fresh mount, the image not in the page cache
    COLD = "cold"  # fresh mount, the image in the page cache
    WARM = "warm"  # the same once more on the same mount


@dataclass(frozen=True, slots=True)
class Workload:
    """One thing that a user does; ``do`` gets a mount and a limit in seconds."""

    name: str
    title: str
    image: Image
    do: Callable[[Mounted, float], Measures]
    states: tuple[State, ...] = (State.COLD, State.WARM)
    measures: tuple[str, ...] = ("",)
    readahead: int | None = None  # KiB, set in sysfs; None leaves what the mount has
    to_unpack: bool = False  # can be done by unpacking the image as well
    big_file_only: bool = False  # can be done with the image file itself as well

    def unfit(self, peer: Peer) -> str | None:
        """Why ``peer`` has no part in this, or None."""
        if peer.only_unpacks and not self.to_unpack:
            return "there is nothing to compare with"
        if isinstance(peer, RawFile) and not self.big_file_only:
            return "there is nothing to compare with"
        if self.image.udf and not peer.udf:
            return "does not read UDF"
        if peer.file(self.image) is None:
            return "no such image is made"
        return None

    def keys(self, state: State) -> list[str]:
        """The keys of this workload's rows in ``state``, one per measure."""
        return [row_key(self.name, measure, state) for measure in self.measures]


def row_key(name: str, measure: str, state: State) -> str:
    """The key of a row of the results, such as "find.cold" or "stat.p99.warm"."""
    return ".".join(filter(None, (name, measure, state.split()[-1])))


def _seen(ran: Ran, expected: int, what: str, found: int) -> Measures:
    if found != expected:
        raise MeasurementError(f"saw {found:,} {what} instead of {expected:,}")
    return {"": ran.seconds}


def first_listing(mount: Mounted, limit: float) -> Measures:
    """The mount command and a listing of the root."""
    ran = run(["ls", "-f", str(mount.folder)], limit=limit)
    if not set(ran.outputs[0].split()) - {b".", b".."}:
        raise MeasurementError("the root is empty")
    return {"": mount.seconds + ran.seconds}


def _find(mount: Mounted, limit: float) -> Measures:
    ran = run(["find", str(mount.folder), "-name", "file-*"], limit=limit)
    return _lines(mount, ran)


def _find_size(mount: Mounted, limit: float) -> Measures:
    ran = run(
        ["find", str(mount.folder), "-name", "file-*", "-size", "-1000000k"],
        limit=limit,
    )
    return _lines(mount, ran)


def _list_long(mount: Mounted, limit: float) -> Measures:
    ran = run(["ls", "-lR", str(mount.folder)], limit=limit)
    return _long_lines(mount, ran)


def _folder_names(mount: Mounted, limit: float) -> Measures:
    ran = run(["ls", "-f", str(mount.folder / "one")], limit=limit)
    return _seen(ran, mount.image.files, "files", ran.outputs[0].count(b"file-"))


def _folder_long(mount: Mounted, limit: float) -> Measures:
    return _long_lines(mount, run(["ls", "-l", str(mount.folder / "one")], limit=limit))


def _lines(mount: Mounted, ran: Ran) -> Measures:
    return _seen(ran, mount.image.files, "files", ran.outputs[0].count(b"\n"))


def _long_lines(mount: Mounted, ran: Ran) -> Measures:
    found = len(re.findall(rb"^-", ran.outputs[0], re.M))
    return _seen(ran, mount.image.files, "files", found)


def _tar(mount: Mounted, limit: float) -> Measures:
    # Into a file: GNU tar reads nothing when it writes to /dev/null.
    with tempfile.NamedTemporaryFile(dir=memory_folder()) as file:
        ran = run(["tar", "-cf", file.name, "-C", str(mount.folder), "."], limit=limit)
        size = Path(file.name).stat().st_size
    if size < mount.image.content:
        raise MeasurementError(f"the archive has {size:,} bytes, the files {mount.image.content:,}")
    return {"": ran.seconds}


def _copy(mount: Mounted, limit: float) -> Measures:
    target = Path(tempfile.mkdtemp(prefix="isomount-bench-", dir=memory_folder()))
    try:
        ran = run(["cp", "-r", f"{mount.folder}/.", str(target)], limit=limit)
        size = sum(path.stat().st_size for path in target.rglob("file-*"))
    finally:
        shutil.rmtree(target)
    return _seen(ran, mount.image.content, "bytes", size)


def read_in_order(mount: Mounted, limit: float) -> Measures:
    """The big file from its beginning to its end."""
    return _dd(mount, 1, limit)


def _read_in_quarters(mount: Mounted, limit: float) -> Measures:
    return _dd(mount, READERS, limit)


def _dd(mount: Mounted, readers: int, limit: float) -> Measures:
    part = mount.image.big // _MIB // readers
    commands = [
        ["dd", f"if={mount.big_file}", "of=/dev/null", "bs=1M", f"skip={n * part}", f"count={part}"]
        for n in range(readers)
    ]
    ran = run(*commands, limit=limit)
    copied = (re.search(rb"^(\d+) bytes", output, re.M) for output in ran.outputs)
    return _seen(
        ran, part * readers * _MIB, "bytes", sum(int(found[1]) for found in copied if found)
    )


def _random_reads(mount: Mounted, limit: float) -> Measures:
    measured = probe(["random", str(mount.big_file), str(RANDOM_READS), str(_PAGE)], limit)
    return {"": measured["seconds"]}


def _stat_latency(mount: Mounted, limit: float) -> Measures:
    places = [str(mount.big_file), str(mount.folder), images.SMALL_NAME]
    return probe(["stat", *places, str(images.SMALL_COUNT)], limit)


def probe(words: list[str], limit: float) -> Measures:
    """What the program beside this one measures."""
    ran = run([sys.executable, "-I", probes.__file__, *words], limit=limit)
    measured: Measures = json.loads(ran.outputs[0])
    return measured


_ALL = (State.DROPPED, State.COLD, State.WARM)
_ONCE = (State.COLD,)


def _big(kib: int, states: tuple[State, ...]) -> Workload:
    return Workload(
        f"big-{kib}",
        f"one file of 1.5 GB in order, readahead {kib} KiB",
        images.BIG,
        read_in_order,
        states,
        readahead=kib,
        big_file_only=True,
    )


WORKLOADS: tuple[Workload, ...] = (
    Workload(
        "mount-1000", "mount to first listing, 1,000 files", images.FILES_1K, first_listing, _ONCE
    ),
    Workload(
        "mount-100000",
        "mount to first listing, 100,000 files",
        images.FILES_100K,
        first_listing,
        _ONCE,
    ),
    Workload("find", "`find`, 100,000 files", images.FILES_100K, _find),
    Workload("find-size", "`find -size`, 100,000 files", images.FILES_100K, _find_size),
    Workload("ls-lR", "`ls -lR`, 100,000 files", images.FILES_100K, _list_long),
    Workload("million", "`find -size`, 1,000,000 files", images.FILES_1M, _find_size, _ONCE),
    Workload("folder-names", "`ls -f` of a folder of 50,000", images.FOLDER_50K, _folder_names),
    Workload("folder-long", "`ls -l` of a folder of 50,000", images.FOLDER_50K, _folder_long),
    Workload("tar", "`tar` of 20,000 small files", images.FILES_20K, _tar, _ALL),
    Workload("cp", "`cp -r` of 20,000 small files", images.FILES_20K, _copy),
    Workload("udf-ls-lR", "`ls -lR`, UDF, 20,000 files", images.UDF_20K, _list_long),
    Workload("udf-tar", "`tar`, UDF, 20,000 files", images.UDF_20K, _tar),
    _big(128, _ALL),
    _big(1024, _ONCE),
    _big(4096, _ONCE),
    Workload(
        "four-readers",
        "the same by four readers, a quarter each",
        images.BIG,
        _read_in_quarters,
        readahead=128,
        big_file_only=True,
    ),
    Workload(
        "random",
        "20,000 reads of 4 KiB at random",
        images.BIG,
        _random_reads,
        big_file_only=True,
    ),
    Workload("zisofs", "the 1.5 GB under zisofs", images.ZISOFS, read_in_order, readahead=128),
    Workload(
        "stat",
        "`stat` while four readers stream",
        images.BIG,
        _stat_latency,
        measures=("median", "p99"),
    ),
)
