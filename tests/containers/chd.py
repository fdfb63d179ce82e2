"""CHD files of any version, written for tests: what no tool at hand writes, and what none would."""

import binascii
import hashlib
import random
import struct
import zlib
from collections.abc import Callable, Sequence

from isomount.blocks import Store
from isomount.containers.base import Surroundings
from isomount.containers.discs.disc import Disc
from isomount.containers.packed.chd import unpack
from isomount.containers.siblings import NoSiblings
from isomount.sources import Source
from tests.formats.iso_builder import MemorySource

HUNK = 4096
Compress = Callable[[bytes], bytes]
DVD = ((b"DVD ", b"\0"),)


def deflated(data: bytes) -> bytes:
    """Raw deflate."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


class BitWriter:
    """Bits, the most significant first."""

    def __init__(self) -> None:
        self._bits: list[str] = []

    def add(self, value: int, width: int) -> None:
        if width:
            self._bits.append(f"{value:0{width}b}")

    def done(self) -> bytes:
        bits = "".join(self._bits)
        bits += "0" * (-len(bits) % 8)
        return int(bits or "0", 2).to_bytes(len(bits) // 8)


class Entry:
    """A hunk for the map: its symbols, and its fields as values and widths."""

    def __init__(
        self, symbols: Sequence[int], fields: Sequence[tuple[int, int]] = (), raw: bytes = b""
    ) -> None:
        self.symbols = symbols
        self.fields = fields
        self.raw = raw  # what the decoded map has for all of them


def raw_entry(kind: int, length: int, place: int, crc: int = 0) -> bytes:
    """Twelve bytes of a decoded map."""
    return struct.pack(">IQ", kind << 24 | length, place << 16 | crc)


def crc16(data: bytes) -> int:
    return binascii.crc_hqx(data, 0xFFFF)


def packed_map(entries: Sequence[Entry], first: int, crc: int | None = None) -> bytes:
    """A compressed map with 24 bits a length and 32 a number; every symbol has a code of 4 bits."""
    bits = BitWriter()
    for _ in range(16):
        bits.add(4, 4)
    for entry in entries:
        for symbol in entry.symbols:
            bits.add(symbol, 4)
    for entry in entries:
        for value, width in entry.fields:
            bits.add(value, width)
    data = bits.done()
    if crc is None:
        crc = crc16(b"".join(entry.raw for entry in entries))
    head = struct.pack(">IHIHBBBx", len(data), first >> 32, first & 0xFFFFFFFF, crc, 24, 32, 32)
    return head + data


def stored_hunk(data: bytes, place: int) -> Entry:
    return Entry([4], [(crc16(data), 16)], raw_entry(4, len(data), place, crc16(data)))


def packed_hunk(codec: int, stored: bytes, data: bytes, place: int) -> Entry:
    fields = [(len(stored), 24), (crc16(data), 16)]
    return Entry([codec], fields, raw_entry(codec, len(stored), place, crc16(data)))


def metadata(entries: Sequence[tuple[bytes, bytes]], at: int) -> bytes:
    """Metadata that begin at byte ``at``."""
    data = b""
    for number, (tag, text) in enumerate(entries):
        end = at + len(data) + 16 + len(text)
        following = end if number + 1 < len(entries) else 0
        data += struct.pack(">4sIQ", tag, 1 << 24 | len(text), following) + text
    return data


def header5(
    size: int,
    codecs: Sequence[bytes],
    map_at: int,
    metadata_at: int,
    hunk: int = HUNK,
    unit: int = 2048,
    parent: bytes = bytes(20),
    identity: bytes = b"i" * 20,
) -> bytes:
    tags = b"".join(codecs).ljust(16, b"\0")
    fields = struct.pack(
        ">8sII16sQQQII", b"MComprHD", 124, 5, tags, size, map_at, metadata_at, hunk, unit
    )
    return fields + bytes(20) + identity + parent


def hunks_of(data: bytes, hunk: int = HUNK) -> list[bytes]:
    return [data[at : at + hunk].ljust(hunk, b"\0") for at in range(0, len(data), hunk)]


def chd5(
    data: bytes,
    tag: bytes,
    compress: Compress,
    entries: Sequence[tuple[bytes, bytes]] = DVD,
    hunk: int = HUNK,
    unit: int = 2048,
) -> bytes:
    """A version 5 file: equal hunks are copies, runs of copies of one are shortened."""
    place, stored, last = 124, b"", -1
    mapped: list[Entry] = []
    seen: dict[bytes, int] = {}
    for number, piece in enumerate(hunks_of(data, hunk)):
        if piece in seen:
            original = seen[piece]
            raw = raw_entry(5, 0, original)
            if original == last:
                mapped.append(Entry([9], raw=raw))
            elif original == last + 1 and last >= 0:
                mapped.append(Entry([10], raw=raw))
            else:
                mapped.append(Entry([5], [(original, 32)], raw))
            last = original
            continue
        seen[piece] = number
        packed = compress(piece)
        entry = (
            packed_hunk(0, packed, piece, place)
            if len(packed) < hunk
            else stored_hunk(piece, place)
        )
        packed = packed if len(packed) < hunk else piece
        mapped.append(entry)
        stored += packed
        place += len(packed)
    the_map = packed_map(mapped, 124)
    at = 124 + len(stored) + len(the_map)
    head = header5(len(data), [tag], 124 + len(stored), at if entries else 0, hunk, unit)
    return head + stored + the_map + metadata(entries, at)


def chd_old(data: bytes, version: int, parent: bytes = b"") -> bytes:
    """A file of version 1 to 4 with deflated, stored, repeated and copied hunks as they come."""
    pieces = hunks_of(data)
    sizes, width = {1: 76, 2: 80, 3: 120, 4: 108}, 8 if version < 3 else 16
    place, stored, table = sizes[version] + width * len(pieces), b"", b""
    seen: dict[bytes, int] = {}
    for number, piece in enumerate(pieces):
        packed = deflated(piece)
        is_packed = len(packed) < HUNK
        body = packed if is_packed else piece
        if version < 3:
            table += struct.pack(">Q", len(body) << 44 | place)
        elif piece in seen:
            table += struct.pack(">QIHBB", seen[piece], 0, 0, 0, 4)
            continue
        elif piece == piece[:8] * (HUNK // 8):
            table += piece[:8] + struct.pack(">IHBB", zlib.crc32(piece), 0, 0, 3)
            continue
        else:
            kind = 1 if is_packed else 2
            length = len(body)
            table += struct.pack(
                ">QIHBB", place, zlib.crc32(piece), length & 0xFFFF, length >> 16, kind
            )
        seen[piece] = number
        stored += body
        place += len(body)
    return _old_header(data, version, len(pieces), parent) + table + stored


def _old_header(data: bytes, version: int, count: int, parent: bytes) -> bytes:
    flags, sha = int(bool(parent)), hashlib.sha1(data).digest()
    if version < 3:
        sectors = len(data) // 512
        head = struct.pack(">7I", flags, 1, HUNK // 512, count, sectors, 1, 1)
        head += hashlib.md5(data).digest() + parent.ljust(16, b"\0")
        head += struct.pack(">I", 512) if version == 2 else b""
    elif version == 3:
        head = struct.pack(">IIIQQ", flags, 1, count, len(data), 0) + bytes(32)
        head += struct.pack(">I", HUNK) + sha + parent.ljust(20, b"\0")
    else:
        head = struct.pack(">IIIQQI", flags, 1, count, len(data), 0, HUNK)
        head += sha + parent.ljust(20, b"\0") + sha
    return struct.pack(">8sII", b"MComprHD", 16 + len(head), version) + head


SURROUNDINGS = Surroundings(NoSiblings(), Store())


def a_disc(hunks: int = 24, seed: int = 1) -> bytes:
    """Hunks that pack, that do not, that are all zeros, and that come again."""
    random_ = random.Random(seed)
    kinds = [
        random_.randbytes(HUNK),
        bytes(HUNK),
        (b"twenty bytes of text" * HUNK)[:HUNK],
        random_.randbytes(64) * (HUNK // 64),
    ]
    return b"".join(random_.choice(kinds) for _ in range(hunks))


def content(data: bytes) -> Source:
    found = unpack(MemorySource(data), SURROUNDINGS)
    assert not isinstance(found, Disc)
    return found


def whole(data: bytes) -> bytes:
    source = content(data)
    return source.read_at(0, source.size)
