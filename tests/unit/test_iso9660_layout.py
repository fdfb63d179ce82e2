"""Records decoded at once say just what they say field by field."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isomount.damage import Damage
from isomount.formats.charset import StoredNames
from isomount.formats.iso9660.layout import FileDecoder
from isomount.formats.iso9660.nodes import NodeMaker
from isomount.formats.iso9660.records import parse
from isomount.formats.iso9660.rockridge import attributes
from isomount.formats.iso9660.susp import fields
from isomount.formats.node import Entry
from isomount.formats.options import ViewOptions

_STAMP = bytes([120, 5, 17, 14, 30, 15, 4])


def _both(number: int) -> bytes:
    return struct.pack("<I", number) + struct.pack(">I", number)


def _px(mode: int = 0o100644, links: int = 1, serial: bytes = b"") -> bytes:
    data = _both(mode) + _both(links) + _both(1000) + _both(100) + serial
    return b"PX" + bytes([len(data) + 4, 1]) + data


def _tf(flags: int = 0x0E) -> bytes:
    stamps = b"".join(_STAMP[:-1] + bytes([bit]) for bit in range(7) if flags & 1 << bit)
    return b"TF" + bytes([len(stamps) + 5, 1, flags]) + stamps


def _nm(name: bytes, flags: int = 0) -> bytes:
    return b"NM" + bytes([len(name) + 5, 1, flags]) + name


def _record(identifier: bytes, *use: bytes, flags: int = 0, unit: int = 0, gap: int = 0) -> bytes:
    padding = b"" if len(identifier) % 2 else b"\0"
    body = b"\0" + _both(30) + _both(5000) + _STAMP + bytes([flags, unit, gap]) + b"\1\0\0\1"
    body += bytes([len(identifier)]) + identifier + padding + b"".join(use)
    body += b"" if len(body) % 2 else b"\0"
    return bytes([len(body) + 1]) + body


def _make() -> NodeMaker:
    return NodeMaker(ViewOptions(), 2048, StoredNames("utf-8"))


def _decoder() -> FileDecoder:
    return FileDecoder(_make(), 2048, 0, StoredNames("utf-8").shown)


def _decoded(
    decoder: FileDecoder, data: bytes, limit: int = 1 << 16, at_most: int = 9
) -> list[Entry]:
    return decoder.decode(data, 0, min(limit, len(data)), 9000, 4096, at_most)


class _Nothing:
    size = 0

    def read(self, offset: int, length: int) -> bytes:
        return b""


def _slowly(data: bytes, address: int) -> Entry:
    record = parse(data, 0, address, high_sierra=False)
    assert record is not None
    said = list(fields(_Nothing(), record.system_use, 2048, address, Damage()))  # type: ignore[arg-type]
    rr = attributes(said)
    assert rr.name is not None
    return Entry(address - 4096, rr.name, _make().other(address, [record], rr))


def _learned(*use: bytes) -> FileDecoder:
    decoder = _decoder()
    data = _record(b"FIRST.TXT;1", *use)
    record = parse(data, 0, 8192, high_sierra=False)
    assert record is not None
    said = list(fields(_Nothing(), record.system_use, 2048, 8192, Damage()))  # type: ignore[arg-type]
    decoder.learn(record, said)
    return decoder


@given(
    identifier=st.binary(min_size=1, max_size=31).filter(lambda name: name not in (b"\0", b"\1")),
    name=st.binary(min_size=1, max_size=100).filter(lambda name: b"\0" not in name),
    order=st.permutations(["RR", "NM", "PX", "TF"]),
    times=st.integers(0, 0x7F),
    serial=st.sampled_from([b"", _both(77)]),
)
def test_as_the_general_way(
    identifier: bytes, name: bytes, order: list[str], times: int, serial: bytes
) -> None:
    def use(text: bytes) -> list[bytes]:
        parts = {"RR": b"RR\5\1\x81", "NM": _nm(text), "PX": _px(serial=serial), "TF": _tf(times)}
        return [parts[signature] for signature in order]

    decoder = _learned(*use(b"first.txt"))
    data = _record(identifier, *use(name))
    assert _decoded(decoder, data) == [_slowly(data, 9000)]
    several = data + data + _record(identifier, *use(name), flags=2) + data
    expected = [_slowly(data, 9000), _slowly(data, 9000 + len(data))]
    assert _decoded(decoder, several) == expected
    assert _decoded(decoder, several, at_most=1) == expected[:1]
    assert _decoded(decoder, several, limit=len(data)) == expected[:1]


@pytest.mark.parametrize(
    "data",
    [
        _record(b"X", _nm(b"x"), _px(), _tf(), flags=2),
        _record(b"X", _nm(b"x"), _px(), _tf(), flags=4),
        _record(b"X", _nm(b"x"), _px(), _tf(), flags=0x80),
        _record(b"X", _nm(b"x"), _px(), _tf(), unit=1, gap=1),
        _record(b"X", _nm(b"x"), _px(links=2), _tf()),
        _record(b"X", _nm(b"x"), _px(mode=0o120777), _tf()),
        _record(b"X", _nm(b"x"), _px(mode=0), _tf()),
        _record(b"X", _nm(b"x", flags=1), _px(), _tf()),
        _record(b"X", _nm(b"x\0y"), _px(), _tf()),
        _record(b"X", _nm(b""), _px(), _tf()),
        _record(b"X", _nm(b"x"), _px(), _tf(0x8E)),
        _record(b"X", _nm(b"x"), _px(), _tf(0x06)),
        _record(b"X", _nm(b"x"), _px(), _tf(), b"RE\4\1"),
        _record(b"X", _px(), _nm(b"x"), _tf()),
        _record(b"X"),
        _record(b"X", _nm(b"x"), _px(), _tf())[:-10],
    ],
)
def test_whatever_differs_is_left_to_the_general_way(data: bytes) -> None:
    decoder = _learned(_nm(b"first"), _px(), _tf())
    assert _decoded(decoder, _record(b"X", _nm(b"x"), _px(), _tf()))
    assert not _decoded(decoder, data)


@pytest.mark.parametrize(
    "use",
    [
        (_nm(b"a", flags=1), _nm(b"b"), _px(), _tf()),
        (_nm(b"a", flags=2), _px(), _tf()),
        (_nm(b"a"), _px()[:20].replace(b"PX\x24", b"PX\x14"), _tf()),
        (_nm(b"a"), _tf()),
        (_px(), _tf()),
        (_nm(b"a"), _px(), b"ZF\x10\1" + bytes(12)),
        (_nm(b"a"), _px(), b"TF\5\1\x0e"),
    ],
)
def test_only_plain_records_are_learned(use: tuple[bytes, ...]) -> None:
    decoder = _learned(*use)
    assert not _decoded(decoder, _record(b"FIRST.TXT;1", *use))


@given(data=st.binary(min_size=1, max_size=300))
def test_arbitrary_bytes_are_no_entry(data: bytes) -> None:
    decoder = _learned(_nm(b"first"), _px(), _tf())
    assert not _decoded(decoder, data)
