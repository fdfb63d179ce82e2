"""Writers of packed images: enough of each kind for its reader to be tried on every branch."""

import bz2
import lzma
import plistlib
import struct
import zlib
from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from typing import Any

SECTOR = 2048
Packer = tuple[int, Callable[[bytes], bytes]]
LZ4: Any = import_module("lz4.block")  # has no types
ISZ_MASK = bytes(~byte & 0xFF for byte in b"IsZ!")


def pieces(data: bytes, size: int) -> list[bytes]:
    """``data`` in pieces of ``size``; the last may be shorter."""
    return [data[at : at + size] for at in range(0, len(data), size)]


def deflated(data: bytes) -> bytes:
    """Deflate without a header."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


def _places(stored: Iterable[bytes], start: int) -> list[int]:
    places = [start]
    for piece in stored:
        places.append(places[-1] + len(piece))
    return places


# ---------------------------------------------------------------- CSO, DAX, JISO


def cso(
    data: bytes,
    *,
    magic: bytes = b"CISO",
    version: int = 1,
    block: int = SECTOR,
    shift: int = 0,
    header: int = 24,
) -> bytes:
    """CISO or ZISO; in version 2 deflate and LZ4 take turns."""
    blocks = pieces(data, block)
    stored, marks = [], []
    for number, each in enumerate(blocks):
        is_lz4 = magic == b"ZISO" or (version == 2 and number % 2 == 1)
        packed = LZ4.compress(each, store_size=False) if is_lz4 else deflated(each)
        padded = len(packed) + (1 << shift) - 1 if version == 2 else len(packed)
        is_plain = padded >= len(each)
        packed = each if is_plain else packed
        stored.append(packed + bytes(-len(packed) % (1 << shift)))
        marks.append(is_lz4 and not is_plain if version == 2 else is_plain)
    start = 24 + 4 * (len(blocks) + 1)
    start += -start % (1 << shift)
    places = [place >> shift for place in _places(stored, start)]
    index = [place | mark << 31 for place, mark in zip(places, [*marks, False], strict=True)]
    head = struct.pack("<4sIQIBBxx", magic, header, len(data), block, version, shift)
    head += struct.pack(f"<{len(index)}I", *index)
    return head.ljust(start, b"\0") + b"".join(stored)


def dax(data: bytes, version: int = 1, plain: Sequence[int] = ()) -> bytes:
    """DAX; the frames ``plain`` are stored as they are; the last one inflates to a whole frame."""
    frames = [frame.ljust(8192, b"\0") for frame in pieces(data, 8192)]
    stored = [
        frame if number in plain else zlib.compress(frame) for number, frame in enumerate(frames)
    ]
    areas = b"".join(struct.pack("<II", number, 1) for number in plain) if version else b""
    places = _places(stored, 32 + 6 * len(frames) + len(areas))[:-1]
    head = struct.pack("<4sIII16x", b"DAX\0", len(data), version, len(areas) // 8)
    head += struct.pack(f"<{len(places)}I", *places)
    head += struct.pack(f"<{len(places)}H", *map(len, stored)) + areas
    return head + b"".join(stored)


def jso(data: bytes, *, method: int = 1, has_headers: bool = False, is_raw: bool = True) -> bytes:
    """JISO with blocks of 2048 bytes."""
    head = b"HEAD" if has_headers else b""
    stored = []
    for block in pieces(data, SECTOR):
        packed = deflated(block) if is_raw else zlib.compress(block)
        stored.append(head + (packed if len(packed) < len(block) else block))
    places = _places(stored, 48 + 4 * (len(stored) + 1))
    header = struct.pack("<4sBBHBxBxI16sI", b"JISO", 3, 1, SECTOR, has_headers, method, len(data),
                         b"", 48)  # fmt: skip
    return (header.ljust(48, b"\0") + struct.pack(f"<{len(places)}I", *places)) + b"".join(stored)


# ---------------------------------------------------------------- ISZ


def isz_hidden(table: bytes) -> bytes:
    return bytes(byte ^ ISZ_MASK[at % 4] for at, byte in enumerate(table))


def isz_header(data: bytes, chunk: int, **fields: int) -> bytes:
    said = {"encryption": 0, "segment_size": 0, "pointer": 3, "segment": 0, "table": 0, "parts": 0,
            "begin": 48, "version": 1} | fields  # fmt: skip
    header = struct.pack(
        "<4sBBIHIBQIIBBIIIB", b"IsZ!", 48, said["version"], 1, SECTOR, len(data) // SECTOR,
        said["encryption"], said["segment_size"], -(-len(data) // chunk), chunk, said["pointer"],
        said["segment"], said["table"], said["parts"], said["begin"], 0,
    )  # fmt: skip
    return header.ljust(48, b"\0")


def isz(
    data: bytes, *, chunk: int = 4 * SECTOR, part: int = 0, pointer: int = 3, **fields: int
) -> list[bytes]:
    """ISZ of zeros, zlib, bzip2 and plain chunks; in parts of ``part`` stored bytes if not 0."""
    table, stored = b"", b""
    sizes: list[int] = []
    for number, each in enumerate(pieces(data, chunk)):
        packed = bz2.compress(each) if number % 2 else zlib.compress(each)
        kind = 3 if number % 2 else 2
        if not any(each):
            kind, packed, size = 0, b"", len(each)
        else:
            if len(packed) >= len(each):
                kind, packed = 1, each
            size = len(packed)
            packed = b"\1\2\3" + packed[3:] if kind == 3 else packed
        table += (kind << 8 * pointer - 2 | size).to_bytes(pointer, "little")
        stored += packed
        sizes.append(len(packed))
    cuts = pieces(stored, part) if part else [stored]
    ends = _places([bytes(size) for size in sizes], 0)
    segments, left = b"", 0
    for number, cut in enumerate(cuts):
        start, end = number * part, number * part + len(cut)
        is_last = number == len(cuts) - 1
        first = next(n for n, place in enumerate(ends) if place >= start)
        following = len(sizes) if is_last else next(n for n, p in enumerate(ends) if p >= end)
        at = 48 if number else 48 + len(table) + 24 * (len(cuts) + 1)
        beyond = 0 if is_last else ends[following] - end
        segments += struct.pack(
            "<QIIII", 48 + len(cut), following - first, first, at + left, beyond
        )
        left = beyond
    segments = segments + bytes(24) if part else b""
    fields = {"table": 48, "parts": 48 + len(table) if part else 0,
              "begin": 48 + len(table) + len(segments), "pointer": pointer} | fields  # fmt: skip
    first_part = isz_header(data, chunk, **fields) + isz_hidden(table) + isz_hidden(segments)
    later = [
        isz_header(data, chunk, **fields | {"segment": number}) + cut
        for number, cut in enumerate(cuts[1:], 1)
    ]
    return [first_part + cuts[0], *later]


# ---------------------------------------------------------------- DAA

LZMA = {"id": lzma.FILTER_LZMA1, "dict_size": 1 << 16, "lc": 3, "lp": 0, "pb": 2}
LZMA_PROPERTIES = bytes([0x5D]) + (1 << 16).to_bytes(4, "little")
X86 = {"id": lzma.FILTER_X86}
DAA_TYPES = ((0, 1, 2), (1, 2, 0), (0, 2, 1), (1, 0, 2))
DAA_MASKS = b"\x0a\x35\x2d\x3f\x08\x33\x09\x15"


def with_type(stored: bytes, types: Sequence[int]) -> bytes:
    """Deflate of one block whose type is exchanged."""
    if types == (0, 1, 2):
        return stored
    assert stored[0] & 1, "only of one block"
    return bytes([stored[0] & ~6 | types[stored[0] >> 1 & 3] << 1]) + stored[1:]


def _daa_parts(stored: bytes, table: bytes, head: bytes, part: int, magic: bytes) -> list[bytes]:
    cuts = pieces(stored, part) if part else [stored]
    later = []
    for cut in cuts[1:]:
        header = struct.pack("<16sI16s", magic + b" VOL", 40, b"")
        later.append(header + struct.pack("<I", zlib.crc32(header)) + cut)
    return [head + table + cuts[0], *later]


def daa(
    data: bytes,
    *,
    magic: bytes = b"DAA",
    format: int = 0x110,
    chunk: int = 1 << 14,
    flags: int = 0x100000,
    widths: int = 5 << 3 | 1,
    use_lzma: bool = True,
    has_filter: bool = False,
    part: int = 0,
    encrypted: bool = False,
) -> list[bytes]:
    """DAA or GBI: in format 0x110 with LZMA and deflate by turns; in parts of ``part`` bytes."""
    is_gbi = magic == b"GBI"
    types = DAA_TYPES[(flags >> 23 & 3) ^ is_gbi] if format == 0x110 else DAA_TYPES[0]
    stored, kinds = [], []
    for number, each in enumerate(pieces(data, chunk)):
        kind = 0 if use_lzma and number % 2 == 0 and format == 0x110 else 1
        if kind == 0:
            filters = [X86, LZMA] if has_filter else [LZMA]
            packed = lzma.compress(each, lzma.FORMAT_RAW, filters=filters)
        else:
            packed = with_type(deflated(each), types)
        if format == 0x110 and len(packed) >= chunk:
            packed = each.ljust(chunk + 4, b"\0")
        stored.append(packed)
        kinds.append(kind)
    length, kind_width = widths >> 3, widths & 7
    length = length + 10 if length else length
    if format == 0x100:
        table = b"".join(bytes((n >> 16 & 255, n & 255, n >> 8 & 255)) for n in map(len, stored))
    else:
        packed_table = 0
        for number, (each, kind) in enumerate(zip(stored, kinds, strict=True)):
            value, hidden = len(each) - 5, 0
            if flags & 0x20000:
                hidden = ((number ^ DAA_MASKS[number & 7]) & 255) * 0x01010101
            value = (value ^ hidden) & (1 << length) - 1
            value |= ((kind ^ hidden) & (1 << kind_width) - 1) << length
            packed_table |= value << number * (length + kind_width)
        table = packed_table.to_bytes(-(-len(stored) * (length + kind_width) // 8), "little")
    if flags & 0x8000000 and format == 0x110:
        sectors = len(data) // SECTOR
        table = bytes(
            byte + (sectors & 255) + at * (sectors >> 8 & 255) & 255
            for at, byte in enumerate(table)
        )
    descriptors = struct.pack("<II", 3, 144) + bytes(136) if encrypted else b""
    joined = b"".join(stored)
    if part:
        descriptors += struct.pack("<IIII", 2, 16, -(-len(joined) // part), 1)
    size_field = chunk if format == 0x100 else chunk >> 14 | flags
    table_at = 76 + len(descriptors)
    packing = bytes([0, 0, 0, 0, 0, widths, has_filter]) + LZMA_PROPERTIES
    header = struct.pack(
        "<16sIIIIIIQQ16s", magic, table_at, format, table_at + len(table), 1, 0, size_field,
        len(data), table_at + len(table) + len(joined), packing,
    )  # fmt: skip
    crc = zlib.crc32(header)
    if is_gbi:
        mask = len(table) // 4 & 255
        table = bytes((byte ^ mask) + (crc & 255) & 255 for byte in table)
    head = header + struct.pack("<I", crc) + descriptors
    return _daa_parts(joined, table, head, part, magic)


# ---------------------------------------------------------------- UIF


def uif(
    data: bytes,
    *,
    version: int = 1,
    kind: int = 8,
    run: int = 8,
    key: int = 0,
    magic: bytes = b"blhr",
    has_filter: bool = False,
    last: int = 0,
) -> bytes:
    """UIF of runs of ``run`` sectors; from version 3 on with LZMA."""

    def packed(piece: bytes) -> bytes:
        if version < 3:
            return zlib.compress(piece)
        filters = [X86, LZMA] if has_filter else [LZMA]
        head = bytes([has_filter]) + LZMA_PROPERTIES + struct.pack("<Q", len(piece))
        return head + lzma.compress(piece, lzma.FORMAT_RAW, filters=filters)

    body, table = b"", b""
    for number, piece in enumerate(pieces(data, run * SECTOR)):
        sectors = -(-len(piece) // SECTOR)
        piece = piece.ljust(sectors * SECTOR, b"\0")
        stored, type_ = packed(piece), 5
        if not any(piece):
            stored, type_ = b"", 3
        elif len(stored) >= len(piece):
            stored, type_ = piece.rstrip(b"\0"), 1
        table += struct.pack("<QIIII", len(body), len(stored), number * run, sectors, type_)
        body += stored
    stored_table = packed(table)
    count = len(table) // 24
    at = len(body)
    body += struct.pack("<4sIII", magic, len(stored_table) + 8, 1, count) + stored_table
    return body + struct.pack(
        "<4sIHHHHIIIQI16sBBBBI", b"bbis", 64, version, kind, 0, 0, -(-len(data) // SECTOR), SECTOR,
        last, at, len(stored_table) + 80, b"", key, 0, 0, 0, 0,
    )  # fmt: skip


# ---------------------------------------------------------------- ECM


def ecm_header(kind: int, count: int) -> bytes:
    """The header of ``count`` units; 0 ends the records."""
    left = (count - 1) & 0xFFFFFFFF
    header = [(left & 31) << 2 | kind]
    left >>= 5
    while left:
        header[-1] |= 0x80
        header.append(left & 127)
        left >>= 7
    return bytes(header)


def ecm(records: Iterable[tuple[int, Sequence[bytes]]]) -> bytes:
    """An ECM file of records: type and stored units."""
    body = b"".join(ecm_header(kind, len(units)) + b"".join(units) for kind, units in records)
    return b"ECM\0" + body + ecm_header(0, 0) + bytes(4)


# ---------------------------------------------------------------- UDIF


def adc(data: bytes) -> bytes:
    """ADC without copies but for runs of one byte, which are the long and the short form."""
    made = b""
    at = 0
    while at < len(data):
        same = 1
        while at + same < len(data) and data[at + same] == data[at] and same < 68:
            same += 1
        made += bytes([0x80, data[at]])
        at += 1
        if same > 4:
            made += bytes([0x40 | same - 5, 0, 0])
            at += same - 1
        elif same == 4:
            made += bytes([0, 0])
            at += 3
    return made


def udif(
    data: bytes,
    *,
    pack: str = "zlib",
    run: int = 16,
    start: int = 0,
    in_fork: bool = False,
    at_front: bool = False,
    part: int = 0,
    kind: int | None = None,
) -> list[bytes]:
    """UDIF of runs of ``run`` sectors of 512 bytes; zeros as such, by turns zero and ignored."""
    packers: dict[str, Packer] = {
        "zlib": (0x80000005, zlib.compress),
        "bzip2": (0x80000006, bz2.compress),
        "xz": (0x80000008, lzma.compress),
        "adc": (0x80000004, adc),
        "stored": (1, bytes),
    }
    code, packer = packers[pack]
    body, table = b"", struct.pack(">I4sQQQQ", 0x7FFFFFFE, b"+beg", 0, 0, 0, 0)
    count = 2
    shift = 512 if at_front else 0
    for number, piece in enumerate(pieces(data, run * 512)):
        stored, its = packer(piece), code if kind is None else kind
        if not any(piece):
            stored, its = b"", number % 2 * 2
        sectors = -(-len(piece) // 512)
        table += struct.pack(">I4xQQQQ", its, number * run, sectors, len(body), len(stored))
        body += stored
        count += 1
    table += struct.pack(">I4xQQQQ", 0xFFFFFFFF, len(data) // 512, 0, len(body), 0)
    block = struct.pack(">4sIQQQ32x136xI", b"mish", 1, start, len(data) // 512, 0, count) + table
    entry = {"Attributes": "0x0050", "CFName": "disc", "Data": block, "ID": "0", "Name": "disc"}
    plist_data = plistlib.dumps({"resource-fork": {"blkx": [entry]}})
    told = _fork(block) if in_fork else plist_data
    cuts = pieces(body, part) if part else [body]
    parts = []
    for number, cut in enumerate(cuts):
        its_list = b"" if number else told
        where = (shift + len(cut), len(its_list))
        fork, plist = (where, (0, 0)) if in_fork else ((0, 0), where)
        trailer = struct.pack(
            ">4sIIIQQQQQII16x136xQQ120x136xIQ12x", b"koly", 4, 512, 1, number * part, shift,
            len(cut), *fork, number + 1, len(cuts), *plist, 1, start + len(data) // 512,
        )  # fmt: skip
        parts.append(trailer + cut + its_list if at_front else cut + its_list + trailer)
    return parts


def _fork(block: bytes) -> bytes:
    """A resource fork with one resource."""
    data = struct.pack(">I", len(block)) + block
    types = struct.pack(">H4sHH", 0, b"blkx", 0, 10) + struct.pack(">HHII", 0, 0xFFFF, 0, 0)
    place = 16 + len(data)
    return (
        struct.pack(">IIII", 16, place, len(data), 28 + len(types))
        + data
        + (bytes(24) + struct.pack(">HH", 28, 28 + len(types)) + types)
    )
