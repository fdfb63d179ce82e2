"""Where the benchmark keeps things: a cache outside the checkout, results that git ignores."""

import mmap
import os
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
RESULTS = CHECKOUT / "bench-results"
README = CHECKOUT / "README.md"
PAGE = CHECKOUT / "docs" / "benchmark.md"


def cache_folder() -> Path:
    """The folder of images, mount points and ratarmount's venv: ISOMOUNT_BENCH_DIR if that is set.

    `tools/setup bench` knows the same default.
    """
    given = os.environ.get("ISOMOUNT_BENCH_DIR")
    return Path(given).absolute() if given else Path.home() / ".cache" / "isomount-bench"


def memory_folder() -> Path:
    """A folder in memory, for what a workload writes: no disk may be part of the measure."""
    shared = Path("/dev/shm")
    return shared if os.access(shared, os.W_OK) else cache_folder()


def claim_memory(size: int) -> None:
    """Have ``size`` bytes of memory that is free really there, at the most half of what is free.

    The host of a virtual machine takes free memory away and gives it back page by page when it is
    used: whoever is measured just then would need seconds more for the same.
    """
    half = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | mmap.MAP_POPULATE
    mmap.mmap(-1, max(mmap.PAGESIZE, min(size, half)), flags=flags).close()
