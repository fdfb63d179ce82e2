"""User data of raw sectors out of the page cache, which the kernel itself picks out."""

from isomount.containers.discs.sectors import SECTOR
from isomount.sources import LocalSource


class Sieve:
    """Buffers for sectors ``stride`` bytes apart: what is no user data all goes to one place.

    One system call then brings as many sectors as there are buffers, and no byte is moved again.
    For use by a single thread.
    """

    # Each but the last takes two buffers, of which preadv(2) allows 1024.
    AT_MOST = 512

    def __init__(self, stride: int) -> None:
        self._stride = stride
        self._junk = memoryview(bytearray(stride - SECTOR))
        self._data = memoryview(bytearray())
        self._buffers: list[memoryview] = []

    def read(self, file: LocalSource, place: int, count: int) -> memoryview | None:
        """The user data of ``count`` sectors, the first of which is at byte ``place`` of ``file``.

        None if not all of it is in memory. Good until the next call.
        """
        if count * SECTOR > len(self._data):
            self._grow(count)
        buffers = self._buffers[: 2 * count - 1]
        wanted = (count - 1) * self._stride + SECTOR
        if file.scatter_resident(place, buffers) != wanted:
            return None
        return self._data[: count * SECTOR]

    def _grow(self, count: int) -> None:
        self._data = memoryview(bytearray(count * SECTOR))
        self._buffers = []
        for at in range(0, count * SECTOR, SECTOR):
            self._buffers += self._data[at : at + SECTOR], self._junk
