"""A block device as the source of an image: as a rule a drive with a disc in it."""

import array
import enum
import fcntl
import mmap
import os
import struct
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from io import FileIO

from isomount.errors import ClosedError
from isomount.sources.local.file import LocalSource

_SECTOR = 2048
# ioctl(2), <linux/cdrom.h>: addresses are asked for as sectors.
_CDROMREADTOCHDR, _CDROMREADTOCENTRY, _CDROMMULTISESSION = 0x5305, 0x5306, 0x5310
_CDROM_GET_CAPABILITY = 0x5331
_LBA = 1
_DATA = 0x40
_RUN_OUT = 2
# Sectors of lead-out, lead-in and pregap behind the first session, and behind each later one.
_FIRST_GAP, _LATER_GAP = 11400, 6900


class Part(enum.Enum):
    """What a range of a disc is. An edge shares a page with a gap, so the page cache loses it."""

    RECORDED = enum.auto()
    GAP = enum.auto()
    EDGE = enum.auto()


class DeviceSource(LocalSource):
    """A drive, or another block device. What a disc has unwritten is no damage of what it holds.

    Between its sessions nothing is recorded, and no file can lie there; a drive takes seconds to
    find that out for each sector. So zeros are read there without asking it. At its end may be two
    run-out blocks, which count as sectors and cannot be read: the image ends before them.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Raises ImageUnreadableError with the reason and the remedy."""
        super().__init__(path)
        self._gaps: list[range] = []
        descriptor = self._descriptor
        if descriptor is not None and _is_drive(descriptor.number):
            self._take_off_run_out()
            with suppress(OSError):  # a disc without sessions
                self._gaps = _gaps_of(descriptor.number)

    def read_at(self, offset: int, length: int) -> bytes:
        """As LocalSource does, with zeros where the disc was never written."""
        if not self._meets_gap(offset, length):
            return self._read_recorded(offset, length)
        readers = {
            Part.RECORDED: self._read_recorded,
            Part.EDGE: self._read_sectors,
            Part.GAP: _zeros,
        }
        pieces: list[bytes] = []
        for part, kind in split(range(offset, offset + length), self._gaps):
            pieces.append(readers[kind](part.start, len(part)))
            if len(pieces[-1]) < len(part):
                break  # the disc has become shorter: what follows would be at the wrong place
        return b"".join(pieces)

    def read_resident(self, offset: int, length: int) -> memoryview | None:
        """As LocalSource does; not in a gap, where asking alone would make the kernel read."""
        return None if self._meets_gap(offset, length) else super().read_resident(offset, length)

    def _meets_gap(self, offset: int, length: int) -> bool:
        end = offset + length
        return any(gap.start < end and offset < _page_end(gap) for gap in self._gaps)

    def measure(self) -> int:
        """The size that the kernel goes by now, which it shortens where the disc's end is bad."""
        descriptor = self._descriptor
        if descriptor is not None:
            with suppress(OSError):
                self.size = min(self.size, os.lseek(descriptor.number, 0, os.SEEK_END))
        return self.size

    def _take_off_run_out(self) -> None:
        """Find out whether the last two sectors can be read, before the page cache reads there.

        The kernel shortens the disc where a read near its end fails, by as much as the failing
        request had: of a page, that includes a good sector.
        """
        for _ in range(_RUN_OUT):
            try:
                self._read_sectors(self.size - _SECTOR, _SECTOR)
                return
            except OSError:
                self.size -= _SECTOR

    def _read_recorded(self, offset: int, length: int) -> bytes:
        try:
            return super().read_at(offset, length)
        except OSError:
            return self._read_sectors(offset, length)

    def _read_sectors(self, offset: int, length: int) -> bytes:
        """Each sector by itself: the page cache loses good ones with a bad neighbour."""
        start = offset - offset % _SECTOR
        pieces: list[bytes] = []
        flags = os.O_RDONLY | os.O_DIRECT | os.O_CLOEXEC | os.O_NONBLOCK
        with closing(mmap.mmap(-1, _SECTOR)) as sector, self._opened(flags) as file:
            for place in range(start, offset + length, _SECTOR):
                got = os.preadv(file.fileno(), [sector], place)
                pieces.append(sector[:got])
        return b"".join(pieces)[offset - start : offset - start + length]

    def _opened(self, flags: int) -> FileIO:
        """The device once more, with those flags of open(2)."""
        descriptor = self._descriptor
        if descriptor is None:
            raise ClosedError(f"{self.name}: the image is closed")
        return FileIO(os.open(f"/proc/self/fd/{descriptor.number}", flags))


def _zeros(offset: int, length: int) -> bytes:
    return bytes(length)


def _is_drive(device: int) -> bool:
    with suppress(OSError):
        fcntl.ioctl(device, _CDROM_GET_CAPABILITY, 0)
        return True
    return False


def _gaps_of(drive: int) -> list[range]:
    """The bytes between the sessions of the disc in ``drive``. Raises OSError where it cannot tell.

    Drives tell where tracks begin and which is the first of the last session. Where a disc of two
    sessions has its gap is certain then; of more, that each holds one track, as is usual.
    """
    last = array.array("B", struct.pack("=iBB2x", 0, 0, _LBA))
    fcntl.ioctl(drive, _CDROMMULTISESSION, last)
    newest, has_sessions = struct.unpack("=iB3x", last)
    if not has_sessions:
        return []
    header = array.array("B", bytes(2))
    fcntl.ioctl(drive, _CDROMREADTOCHDR, header)
    first, final = header
    tracks = [_track(drive, number) for number in range(first, final + 1)]
    return [range(gap.start * _SECTOR, gap.stop * _SECTOR) for gap in session_gaps(tracks, newest)]


def _track(drive: int, number: int) -> tuple[int, bool]:
    entry = array.array("B", struct.pack("=BBBxiB3x", number, 0, _LBA, 0, 0))
    fcntl.ioctl(drive, _CDROMREADTOCENTRY, entry)
    _, control, _, start, _ = struct.unpack("=BBBxiB3x", entry)
    return start, bool(control & _DATA)


def session_gaps(tracks: Sequence[tuple[int, bool]], newest: int) -> list[range]:
    """The sectors between sessions. ``tracks`` are first sector and whether it is one of data."""
    starts = [start for start, _ in tracks[1:] if start <= newest]
    if not all(is_data for _, is_data in tracks):
        starts = [newest]  # several tracks of audio are one session
    if newest <= 0 or newest not in starts:
        return []
    lengths = [_FIRST_GAP, *[_LATER_GAP] * (len(starts) - 1)]
    return [
        range(max(0, start - length), start) for start, length in zip(starts, lengths, strict=True)
    ]


def split(wanted: range, gaps: Sequence[range]) -> Iterator[tuple[range, Part]]:
    """The bytes ``wanted`` in parts, each with what it is; ``gaps`` are ascending bytes."""
    at = wanted.start
    for gap in gaps:
        for stop, kind in (
            (gap.start, Part.RECORDED),
            (gap.stop, Part.GAP),
            (_page_end(gap), Part.EDGE),
        ):
            stop = min(stop, wanted.stop)
            if at < stop:
                yield range(at, stop), kind
                at = stop
    if at < wanted.stop:
        yield range(at, wanted.stop), Part.RECORDED


def _page_end(gap: range) -> int:
    return -(-gap.stop // mmap.PAGESIZE) * mmap.PAGESIZE
