"""Decoding records of ordinary files in one step, by the layout of the record before them.

An authoring tool writes the same system use fields, in the same order, for every file of a disc:
only the lengths of the two names differ. After one record has been parsed field by field, its
layout is used as a struct to unpack the next ones; any record that deviates is parsed in the
general way. This makes listing a directory three times as fast.
"""

import stat
import struct
from collections.abc import Callable
from operator import itemgetter
from typing import Any, NamedTuple

from isomount.formats.iso9660.nodes import NodeMaker
from isomount.formats.iso9660.records import PARENT, SELF, TWINS, Record, undecoded
from isomount.formats.iso9660.susp import Field
from isomount.formats.node import Entry

# Record length, XAR length, extent, data length, date, flags, file unit size, interleave gap size.
_FIXED = "<BBI4xI4x7sBBB4xB"
_FIXED_SIZE = 33
_PLAIN = struct.Struct(_FIXED)
_FIXED_VALUES = 9
_STAMP = 7
_STRUCTURES_AT_MOST = 4096
# Half the time of calling the class.
_entry = tuple.__new__
_MODIFIED, _ACCESSED, _CHANGED = 0x02, 0x04, 0x08


class _Structure(NamedTuple):
    """How to unpack a record whose names have certain lengths.

    ``headers`` selects the items that must equal ``expected``, ``values`` those of the node.
    """

    size: int
    unpack: Callable[[bytes, int], tuple[Any, ...]]
    headers: Callable[[tuple[Any, ...]], tuple[Any, ...]]
    expected: tuple[Any, ...]
    values: Callable[[tuple[Any, ...]], tuple[Any, ...]]


class Layout:
    """The fields of one kind of record, in order. Immutable except for its cache."""

    def __init__(self, skip: int, fields: list[Field]) -> None:
        self._skip = skip
        self._fields = [(f.signature, f.area[f.start - 4 : f.end]) for f in fields]
        before_name = skip
        for signature, data in self._fields:
            if signature == b"NM":
                break
            before_name += len(data)
        # The offset of the NM field's length byte in the system use area.
        self.name_length_at = before_name + 2
        self._structures: dict[tuple[int, int], _Structure] = {}

    def structure(self, identifier: int, name_field: int) -> _Structure | None:
        """The structure of records whose identifier and NM field have those lengths."""
        key = (identifier, name_field)
        found = self._structures.get(key)
        if found is None and name_field > 5 and len(self._structures) < _STRUCTURES_AT_MOST:
            found = self._structures[key] = self._make(identifier, name_field - 5)
        return found

    def _make(self, identifier: int, name: int) -> _Structure:
        """The structure for an identifier and a Rock Ridge name of those lengths."""
        form = f"{_FIXED}{identifier + (~identifier & 1) + self._skip}x"
        index = _FIXED_VALUES
        headers: list[int] = []
        expected: list[bytes] = []
        picked: dict[str, int] = {"date": 4}
        for signature, data in self._fields:
            part, fixed, values = _part(signature, data, name)
            form += part
            headers.append(index)
            expected.append(fixed)
            for value in values:
                index += 1
                picked[value] = index
            index += 1
        whole = struct.Struct(form)
        order = [picked[value] for value in ("mode", "user", "group", "name")]
        order += [picked.get(stamp, picked["date"]) for stamp in ("access", "modify", "change")]
        return _Structure(
            whole.size,
            whole.unpack_from,
            # No XAR, flags or interleaving, and a link count of 1.
            itemgetter(1, 5, 6, 7, 8, picked["links"], *headers),
            (0, 0, 0, 0, identifier, 1, *expected),
            itemgetter(2, 3, *order),
        )


def _part(signature: bytes, data: bytes, name: int) -> tuple[str, bytes, list[str]]:
    """The struct format of one field, its expected header, and the names of its values."""
    if signature == b"NM":
        return f"5s{name}s", data[:2] + bytes([name + 5]) + data[3:5], ["name"]
    if signature == b"PX":
        rest = len(data) - 4 - 32
        return f"4sI4xI4xI4xI4x{rest}x", data[:4], ["mode", "links", "user", "group"]
    if signature == b"TF":
        bits = {0x01: "create", _MODIFIED: "modify", _ACCESSED: "access", _CHANGED: "change"}
        stamps = [word for bit, word in bits.items() if data[4] & bit]
        rest = len(data) - 5 - _STAMP * len(stamps)
        return f"5s{f'{_STAMP}s' * len(stamps)}{rest}x", data[:5], stamps
    return f"4s{len(data) - 4}x", data[:4], []


class NoDecoder:
    """Decodes nothing: every record is parsed in the general way."""

    def learn(self, record: Record, fields: list[Field]) -> None:
        """Do nothing."""

    decode = staticmethod(undecoded)


class PlainDecoder:
    """Decodes records of files without a system use area, which all have the same layout."""

    def __init__(self, make: NodeMaker, block_size: int, name_of: Callable[[bytes], bytes]) -> None:
        self._make = make
        self._block_size = block_size
        self._name_of = name_of

    def learn(self, record: Record, fields: list[Field]) -> None:
        """Do nothing."""

    def decode(
        self, data: bytes, position: int, limit: int, base: int, start: int, at_most: int
    ) -> list[Entry]:
        """The entries of ordinary files from ``data[position]`` on, up to any other record."""
        run: list[Entry] = []
        while position < limit and len(run) < at_most:
            if not _FIXED_SIZE < data[position] <= len(data) - position:
                break
            length, xar, extent, size, date, flags, unit, gap, named = _PLAIN.unpack_from(
                data, position
            )
            left_over = length - _FIXED_SIZE - named
            if xar or flags or unit or gap or not 0 <= left_over < 4:
                break
            if TWINS.unpack_from(data, position) != (extent, size):
                break
            identifier = data[position + _FIXED_SIZE : position + _FIXED_SIZE + named]
            if identifier in (SELF, PARENT):
                break
            address = base + position
            node = self._make.plain_file(address, size, extent * self._block_size, date)
            run.append(_entry(Entry, (address - start, self._name_of(identifier), node)))
            position += length
        return run


class FileDecoder:
    """Decodes records of one Rock Ridge tree. Thread-safe: a layout is replaced as a whole."""

    def __init__(
        self, make: NodeMaker, block_size: int, skip: int, shown: Callable[[bytes], bytes]
    ) -> None:
        """``shown`` is asked for names that are not ASCII alone."""
        self._make = make
        self._block_size = block_size
        self._skip = skip
        self._shown = shown
        self._layout: Layout | None = None

    def learn(self, record: Record, fields: list[Field]) -> None:
        """Use the layout of ``fields``, those of ``record``, for the next records."""
        if not record.is_directory and _is_plain(fields):
            self._layout = Layout(self._skip, fields)

    def decode(
        self, data: bytes, position: int, limit: int, base: int, start: int, at_most: int
    ) -> list[Entry]:
        """The entries from ``data[position]`` on, as long as they have the layout learnt last.

        Each is an ordinary file in one section; anything else ends the run. ``data`` begins at
        image byte ``base``, the directory at ``start``.
        """
        run: list[Entry] = []
        layout = self._layout
        if layout is None:
            return run
        end = len(data)
        while position < limit and len(run) < at_most:
            length = data[position]
            if not _FIXED_SIZE < length <= end - position:
                break
            identifier = data[position + 32]
            if identifier == 1 and data[position + 33] < 2:
                break  # the identifier of "." or "..": not an entry
            use = position + _FIXED_SIZE + identifier + (~identifier & 1)
            at = use + layout.name_length_at
            structure = layout.structure(identifier, data[at]) if at < end else None
            # Up to three bytes may remain: too few for a field.
            if structure is None or not 0 <= length - structure.size < 4:
                break
            unpacked = structure.unpack(data, position)
            if structure.headers(unpacked) != structure.expected:
                break
            extent, size, mode, uid, gid, name, read, written, changed = structure.values(unpacked)
            if mode & 0xF000 != stat.S_IFREG or 0 in name:
                break
            if TWINS.unpack_from(data, position) != (extent, size):
                break
            address = base + position
            place = extent * self._block_size
            node = self._make.file(address, mode, uid, gid, size, place, read, written, changed)
            if not name.isascii():
                name = self._shown(name)
            run.append(_entry(Entry, (address - start, name, node)))
            position += length
        return run


def _is_plain(fields: list[Field]) -> bool:
    """Whether the fields are only name, attributes and times, each at most once."""
    signatures = [field.signature for field in fields]
    position = 0
    for _, _, start, end in fields:
        # A gap: the fields are not contiguous, as with a continuation area.
        if start - 4 != position:
            return False
        position = end
    if signatures.count(b"NM") != 1 or signatures.count(b"PX") != 1:
        return False
    if signatures.count(b"TF") > 1 or not set(signatures) <= {b"NM", b"PX", b"TF", b"RR", b"PD"}:
        return False
    for signature, area, start, end in fields:
        if area is not fields[0].area:
            return False
        if signature == b"NM" and area[start : start + 1] != b"\0":
            return False
        if signature == b"PX" and end - start < 32:
            return False
        if signature == b"TF" and not _has_short_stamps(area[start:end]):
            return False
    return True


def _has_short_stamps(data: bytes) -> bool:
    if not data or data[0] & 0x80:
        return False
    return len(data) - 1 >= _STAMP * (data[0] & 0x0F).bit_count()
