"""What no program of the system does: run as a program itself, prints its measures as JSON.

python probes.py random FILE COUNT SIZE              reads of SIZE bytes all over FILE
python probes.py stat FILE FOLDER TEMPLATE COUNT     stat of files below FOLDER while four
                                                     readers stream FILE
python probes.py stream FILE PART PARTS              one of those readers
"""

import json
import os
import random
import subprocess
import sys
import time

_READERS = 4
_WINDOW = 32 << 20  # bytes; what a reader has passed is dropped, so it keeps asking the daemon
_PAUSE = 0.002  # seconds between two calls of stat


def random_reads(path: str, count: int, size: int) -> dict[str, float]:
    """Seconds for ``count`` aligned reads of ``size``; the places are the same in every run."""
    handle = os.open(path, os.O_RDONLY)
    pages = os.fstat(handle).st_size // size
    chance = random.Random(count)
    places = [chance.randrange(pages) * size for _ in range(count)]
    begin = time.perf_counter()
    for place in places:
        if len(os.pread(handle, size, place)) != size:
            raise SystemExit("a short read")
    return {"seconds": time.perf_counter() - begin}


def stat_latency(path: str, folder: str, template: str, count: int) -> dict[str, float]:
    """Median and 99th percentile of ``count`` calls of stat, in seconds."""
    readers = [
        subprocess.Popen([sys.executable, "-I", __file__, "stream", path, str(part), str(_READERS)])
        for part in range(_READERS)
    ]
    try:
        time.sleep(0.5)  # all four are under way
        took = []
        for number in range(count):
            name = os.path.join(folder, template.format(folder=number % 10, number=number))
            begin = time.perf_counter()
            os.stat(name)
            took.append(time.perf_counter() - begin)
            time.sleep(_PAUSE)
        if any(reader.poll() is not None for reader in readers):
            raise SystemExit("a reader ended")
    finally:
        for reader in readers:
            reader.kill()
        for reader in readers:
            reader.wait()
    took.sort()
    return {"median": took[len(took) // 2], "p99": took[len(took) * 99 // 100]}


def stream(path: str, part: int, parts: int) -> None:
    """Read ``path`` in order for ever, from the beginning of its ``part`` of ``parts`` on."""
    handle = os.open(path, os.O_RDONLY)
    size = os.fstat(handle).st_size
    place = size // parts * part // _WINDOW * _WINDOW
    while True:
        end = min(place + _WINDOW, size)
        for offset in range(place, end, 1 << 20):
            if not os.pread(handle, 1 << 20, offset):
                raise SystemExit("nothing to read")
        os.posix_fadvise(handle, place, end - place, os.POSIX_FADV_DONTNEED)
        place = end if end < size else 0


def main(words: list[str]) -> None:
    """Do what the command line says."""
    match words:
        case ["random", path, count, size]:
            print(json.dumps(random_reads(path, int(count), int(size))))
        case ["stat", path, folder, template, count]:
            print(json.dumps(stat_latency(path, folder, template, int(count))))
        case ["stream", path, part, parts]:
            stream(path, int(part), int(parts))
        case _:
            raise SystemExit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
