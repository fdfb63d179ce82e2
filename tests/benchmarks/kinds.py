"""What is measured of compressed and packed images: ONLY=kinds."""

import subprocess
from time import perf_counter

from tests.benchmarks import containers, images
from tests.benchmarks.containers import SIZE
from tests.benchmarks.images import Image
from tests.benchmarks.mounts import Mounted, mounted
from tests.benchmarks.peers import Fuseiso9660
from tests.benchmarks.programs import MeasurementError
from tests.benchmarks.targets import Target, at_most, no_longer_than, times_faster, within
from tests.benchmarks.workloads import (
    Measures,
    State,
    Workload,
    first_listing,
    probe,
    read_in_order,
)

RANDOM_READS = 2000
_LENGTH = 64 << 10
_MEGABYTES = SIZE // 1_000_000
# The kernel's default: an ordinary user's mounts have no other.
_READAHEAD = 128


def _in_order(mount: Mounted, limit: float) -> Measures:
    """The big file through a mount, or the whole image unpacked to nowhere."""
    if not mount.peer.only_unpacks:
        return read_in_order(mount, limit)
    words = mount.peer.command(mount.image, mount.folder)
    return {"": _seconds(words, limit)}


def _seconds(words: list[str], limit: float) -> float:
    begin = perf_counter()
    try:
        done = subprocess.run(
            words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False, timeout=limit
        )
    except subprocess.TimeoutExpired:
        raise MeasurementError(f"not done after {limit:.0f} s") from None
    if done.returncode:
        raise MeasurementError(f"{words[0]} failed")
    return perf_counter() - begin


def _random(mount: Mounted, limit: float) -> Measures:
    words = ["random", str(mount.big_file), str(RANDOM_READS), str(_LENGTH)]
    return {"": probe(words, limit)["seconds"]}


def _mounted_again(mount: Mounted, limit: float) -> Measures:
    """After the first mount has read all of it, and kept what it learnt."""
    read_in_order(mount, limit)
    with mounted(mount.peer, mount.image, limit=limit, readahead=None) as again:
        return first_listing(again, limit)


def _row(kind: str, title: str, image: Image) -> Workload:
    return Workload(
        f"kinds-{kind}",
        f"{title}, {_MEGABYTES} MB in order",
        image,
        _in_order,
        (State.COLD,),
        readahead=_READAHEAD,
        to_unpack=True,
    )


def _random_row(kind: str, title: str, image: Image) -> Workload:
    return Workload(
        f"kinds-{kind}-random",
        f"{title}, {RANDOM_READS:,} reads of 64 KiB at random",
        image,
        _random,
        (State.COLD,),
        readahead=_READAHEAD,
    )


KINDS: tuple[Workload, ...] = (
    _row("plain", "plain image", containers.PLAIN),
    _row("raw", "sectors of 2352 bytes", containers.RAW),
    _row("gz", "gzip", containers.GZIP),
    _row("zst", "seekable zstd", containers.ZSTD),
    _row("cso", "CSO", containers.CSO),
    _row("chd", "CHD (zlib)", containers.CHD),
    _row("zip", "zip (deflate)", containers.ZIP),
    Workload(
        "kinds-zisofs",
        "the 1.5 GB under zisofs",
        images.ZISOFS,
        read_in_order,
        (State.COLD,),
        readahead=_READAHEAD,
    ),
    _random_row("gz", "gzip", containers.GZIP),
    _random_row("zst", "seekable zstd", containers.ZSTD),
    _random_row("cso", "CSO", containers.CSO),
    _random_row("chd", "CHD (zlib)", containers.CHD),
    Workload(
        "kinds-gz-again",
        "gzip, mounted once more, to the first listing",
        containers.GZIP,
        _mounted_again,
        (State.COLD,),
    ),
)


def _rate(key: str, megabytes: int) -> Target:
    """At least so many MB a second in order."""
    seconds = SIZE / (megabytes * 1e6)
    return Target(f"{key}, in order", f"{megabytes} MB/s", at_most(f"kinds-{key}.cold", seconds))


def _reads(key: str, rate: int) -> Target:
    """At least so many random reads a second."""
    check = at_most(f"kinds-{key}-random.cold", RANDOM_READS / rate)
    return Target(f"{key}, 64 KiB at random", f"{rate:,} a second", check)


def _share(key: str, tool: str) -> Target:
    """At least 80 % of the tool's speed."""
    return Target(f"{key}, in order", f"80 % of {tool}", within(1.25, f"kinds-{key}.cold", tool))


TARGETS = (
    Target(
        "sectors of 2352 bytes, in order",
        "60 % of the plain image's speed",
        no_longer_than("kinds-raw.cold", "kinds-plain.cold", 1 / 0.6),
    ),
    Target(
        "zisofs, cold",
        "2 times faster than fuseiso9660",
        times_faster(2, "kinds-zisofs.cold", than=[Fuseiso9660.name]),
    ),
    _share("gz", "gzip -dc"),
    _share("zst", "zstd -dc"),
    _rate("cso", 250),
    _rate("chd", 250),
    _reads("gz", 500),
    _reads("zst", 800),
    _reads("cso", 2000),
    _reads("chd", 2000),
    Target("gz, mounted again", "at most 0.4 s", at_most("kinds-gz-again.cold", 0.4)),
)
