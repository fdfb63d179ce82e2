"""The Rock Ridge Interchange Protocol (IEEE P1282, RRIP 1.09 to 1.12): POSIX attributes."""

import os
import struct
from collections.abc import Callable, Iterable
from typing import NamedTuple

from isomount.formats.iso9660.dates import long_time, recording_time
from isomount.formats.iso9660.susp import CUT, Field

_NM_CURRENT_PARENT_HOST = 0x02 | 0x04 | 0x20
_SL_CONTINUE, _SL_CURRENT, _SL_PARENT, _SL_ROOT = 0x01, 0x02, 0x04, 0x08
_COMPONENTS = {_SL_CURRENT: b".", _SL_PARENT: b"..", _SL_ROOT: b"/"}
_TF_LONG_FORM = 0x80
# File mode, links, user and group, each followed by its big-endian copy.
_POSIX = struct.Struct("<I4xI4xI4xI4x")
_POSIX_TWINS = struct.Struct(">4xI4xI4xI4xI")
# The kernel cannot return longer link targets (PATH_MAX includes the NUL).
_TARGET_AT_MOST = 4095
_NAME_AT_MOST = 1024


class CompressedFile(NamedTuple):
    """A ZF field: algorithm id, header size in bytes, log2 of the block size, uncompressed size."""

    algorithm: bytes
    header_size: int
    block_shift: int
    size: int


class RockRidge:
    """The values of the fields of one record; None or empty if not recorded."""

    __slots__ = (
        "_link",
        "_slash_next",
        "accessed",
        "attributed",
        "changed",
        "child",
        "gid",
        "link_cut",
        "mode",
        "modified",
        "name",
        "nlink",
        "parent",
        "rdev",
        "relocated",
        "serial",
        "uid",
        "zisofs",
    )

    def __init__(self) -> None:
        self.mode: int | None = None
        self.nlink = 1
        self.uid = 0
        self.gid = 0
        self.serial = 0
        self.rdev = 0
        self.name: bytes | None = None
        self.modified: int | None = None
        self.accessed: int | None = None
        self.changed: int | None = None
        self.child: int | None = None
        self.parent: int | None = None
        self.relocated = False
        self.attributed = False
        self.zisofs: CompressedFile | None = None
        self.link_cut = False
        self._link: bytearray | None = None
        self._slash_next = False

    @property
    def target(self) -> bytes | None:
        """The symbolic link's target; None without SL, or if it is truncated or too long."""
        if self._link is None or self.link_cut:
            return None
        target = bytes(self._link).partition(b"\0")[0]
        return target if 0 < len(target) <= _TARGET_AT_MOST else None

    @property
    def target_size(self) -> int | None:
        """The length of the target, even if it is not usable; None without SL."""
        return None if self._link is None else len(self._link)

    def end_components(self, continued: bool) -> None:
        """End an SL field; a separator follows if its CONTINUE flag is set."""
        if self._link is not None and continued and self._slash_next:
            self._link += b"/"
            self._slash_next = False

    def add_component(self, flags: int, text: bytes) -> None:
        """Append one component of a symbolic link's target (RRIP 4.1.3.1).

        Components without a meaning on Linux (volume root, host) are empty.
        """
        if self._link is None:
            self._link = bytearray()
        if self._slash_next:
            self._link += b"/"
        self._link += _COMPONENTS.get(flags & ~_SL_CONTINUE, b"") if flags & ~_SL_CONTINUE else text
        self._slash_next = not flags & (_SL_CONTINUE | _SL_ROOT)


def attributes(found: Iterable[Field]) -> RockRidge:
    """The combined values of the ``found`` fields. Unknown and too short fields are ignored."""
    rr = RockRidge()
    for signature, area, start, end in found:
        interpret = _INTERPRET.get(signature)
        if interpret is not None:
            interpret(rr, area, start, end)
    return rr


def _both32(area: bytes, offset: int) -> int:
    """A number in both byte orders: the little-endian half unless that is zero."""
    return _le32(area, offset) or int.from_bytes(area[offset + 4 : offset + 8], "big")


def _le32(area: bytes, offset: int) -> int:
    return int.from_bytes(area[offset : offset + 4], "little")


def _px(rr: RockRidge, area: bytes, start: int, end: int) -> None:
    """POSIX file attributes (RRIP 4.1.1); the serial number was added in 1.12."""
    if end - start < _POSIX.size:
        return
    mode, rr.nlink, rr.uid, rr.gid = _POSIX.unpack_from(area, start)
    if not mode:  # no file has it: what the other byte order says
        mode, rr.nlink, rr.uid, rr.gid = _POSIX_TWINS.unpack_from(area, start)
    rr.mode = mode & 0xFFFF
    if end - start >= 40:
        rr.serial = _le32(area, start + 32)


def _pn(rr: RockRidge, area: bytes, start: int, end: int) -> None:
    """Device number (RRIP 4.1.2): major and minor, or both in the low half."""
    if end - start < 16:
        return
    high, low = _le32(area, start), _le32(area, start + 8)
    if high == 0 and low > 0xFF:
        high, low = low >> 8, low & 0xFF
    # The kernel's device numbers have 12 bits of major and 20 of minor.
    rr.rdev = os.makedev(high & 0xFFF, low & 0xFFFFF)


def _sl(rr: RockRidge, area: bytes, start: int, end: int) -> None:
    """Symbolic link (RRIP 4.1.3): components of the target, in one or more fields."""
    if start == end or (rr.target_size or 0) > _TARGET_AT_MOST:
        return
    position = start + 1
    while position + 2 <= end:
        flags, length = area[position], area[position + 1]
        rr.add_component(flags, area[position + 2 : position + 2 + length])
        position += 2 + length
    rr.end_components(bool(area[start] & _SL_CONTINUE))
    # genisoimage truncates long targets anywhere: a partial component header is a sign of that.
    rr.link_cut = rr.link_cut or position == end - 1


def _nm(rr: RockRidge, area: bytes, start: int, end: int) -> None:
    """Alternate name (RRIP 4.1.4); all fields are joined, even without the CONTINUE flag."""
    if start == end or area[start] & _NM_CURRENT_PARENT_HOST:
        return
    text = area[start + 1 : end].partition(b"\0")[0]
    if text and len(rr.name or b"") < _NAME_AT_MOST:
        rr.name = (rr.name or b"") + text


def _cl(rr: RockRidge, area: bytes, start: int, end: int) -> None:
    """Child link (RRIP 4.1.5.1): the block of the relocated directory."""
    if end - start >= 8:
        rr.child = _both32(area, start)


def _pl(rr: RockRidge, area: bytes, start: int, end: int) -> None:
    """Parent link (RRIP 4.1.5.2): the block of the original parent directory."""
    if end - start >= 8:
        rr.parent = _both32(area, start)


def _re(rr: RockRidge, area: bytes, start: int, end: int) -> None:
    """Relocated directory (RRIP 4.1.5.3): shown where its child link is."""
    rr.relocated = True


def _tf(rr: RockRidge, area: bytes, start: int, end: int) -> None:
    """Time stamps (RRIP 4.1.6): one for each flag, in the order of the flags."""
    if start == end:
        return
    present = area[start]
    width, parse = (17, long_time) if present & _TF_LONG_FORM else (7, recording_time)
    position = start + 1
    for flag in (0x01, 0x02, 0x04, 0x08):
        if not present & flag:
            continue
        if position + width > end:
            return
        if flag == 0x02:
            rr.modified = parse(area[position : position + width])
        elif flag == 0x04:
            rr.accessed = parse(area[position : position + width])
        elif flag == 0x08:
            rr.changed = parse(area[position : position + width])
        position += width


def _al(rr: RockRidge, area: bytes, start: int, end: int) -> None:
    """Extended attributes (AAIP): that there are some; aaip.py reads them when asked."""
    rr.attributed = True


def _cut(rr: RockRidge, area: bytes, start: int, end: int) -> None:
    """Fields are missing: an incomplete link target could name another file."""
    rr.link_cut = True


def _zf(rr: RockRidge, area: bytes, start: int, end: int) -> None:
    """Compressed file (zisofs): version 1 has a both-endian 32-bit size, version 2 64 bits.

    In version 2 the field may be named Z2, so that systems without support do not warn about it.
    """
    if end - start < 12:
        return
    algorithm = area[start : start + 2]
    width = 4 if algorithm == b"pz" else 8
    size = int.from_bytes(area[start + 4 : start + 4 + width], "little")
    if not size and width == 4:
        size = _both32(area, start + 4)
    rr.zisofs = CompressedFile(algorithm, area[start + 2] * 4, area[start + 3], size)


_INTERPRET: dict[bytes, Callable[[RockRidge, bytes, int, int], None]] = {
    b"PX": _px,
    b"PN": _pn,
    b"SL": _sl,
    b"NM": _nm,
    b"CL": _cl,
    b"PL": _pl,
    b"RE": _re,
    b"TF": _tf,
    b"ZF": _zf,
    b"Z2": _zf,
    b"AL": _al,
    CUT: _cut,
}
