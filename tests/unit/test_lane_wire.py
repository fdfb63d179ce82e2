"""The kernel's protocol: sizes as <linux/fuse.h> has them, and what is written can be read back."""

import stat
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isomount.formats.node import Node
from isomount.fs.lane import wire
from isomount.fs.lane.wire import Opened

_U32 = st.integers(0, 2**32 - 1)
_U63 = st.integers(0, 2**63 - 1)
# As far as a disc can tell, in nanoseconds.
_TIMES = st.integers(-(2**40) * 10**9, 2**40 * 10**9)
_NODES = st.builds(
    Node,
    ino=st.integers(2, 2**64 - 1),
    mode=st.sampled_from([stat.S_IFREG | 0o444, stat.S_IFDIR | 0o555, stat.S_IFLNK | 0o777]),
    uid=_U32,
    gid=_U32,
    nlink=_U32,
    size=_U63,
    atime_ns=_TIMES,
    mtime_ns=_TIMES,
    ctime_ns=_TIMES,
    rdev=_U63,
    target=st.none(),
    data=st.none(),
    fault=st.sampled_from([None, "broken"]),
)
_NAMES = st.binary(min_size=1, max_size=255)
_ENTRY = struct.Struct("=QQQQII")
_ATTR = struct.Struct("=QQQqqqIIIIIIIIII")
_DIRENT = struct.Struct("=QQII")


def _check_attr(data: bytes, node: Node, number: int) -> None:
    ino, size, blocks, *times, mode, nlink, uid, gid, rdev, block_size, flags = _ATTR.unpack(data)
    assert (ino, size, mode, nlink) == (number, node.size, node.mode, node.nlink)
    assert (uid, gid, rdev) == (node.uid, node.gid, node.rdev % 2**32)
    assert (blocks, block_size, flags) == (-(-node.size // 512), 2048, 0)
    seconds, rests = times[:3], times[3:]
    expected = [node.atime_ns, node.mtime_ns, node.ctime_ns]
    assert [s * 10**9 + n for s, n in zip(seconds, rests, strict=True)] == expected
    assert all(rest < 10**9 for rest in rests)


@given(_NODES)
def test_an_entry(node: Node) -> None:
    data = wire.entry(node, 1, 2048)
    assert len(data) == 128
    number, generation, kept, attr_kept, *nanoseconds = _ENTRY.unpack(data[:40])
    assert (number, generation, nanoseconds) == (1, 0, [0, 0])
    assert kept == attr_kept == (0 if node.fault else wire.FOREVER)
    _check_attr(data[40:], node, 1)


@given(_NODES)
def test_attributes(node: Node) -> None:
    data = wire.attributes(node, node.ino, 2048)
    assert len(data) == 104
    assert struct.unpack("=QII", data[:16]) == (0 if node.fault else wire.FOREVER, 0, 0)
    _check_attr(data[16:], node, node.ino)


def test_a_name_that_is_missing_is_remembered() -> None:
    assert len(wire.MISSING) == 128
    assert _ENTRY.unpack(wire.MISSING[:40]) == (0, 0, wire.FOREVER, 0, 0, 0)


@given(st.lists(st.tuples(_NAMES, _NODES), max_size=20), st.integers(0, 4096))
def test_a_listing(entries: list[tuple[bytes, Node]], size: int) -> None:
    listing = wire.Listing(size, 2048, root=1)
    assert listing.entries_at_most * 160 <= size
    is_whole = listing.add_dot(1, b".", 7)
    count = 0
    for cookie, (name, node) in enumerate(entries, 5):
        if not is_whole or not listing.add(cookie, name, node):
            break
        count += 1
    body = listing.body()
    assert len(body) <= size
    if not is_whole:
        assert size < 160
        assert not body
        return
    assert body[:128] == bytes(128)
    assert _DIRENT.unpack(body[128:152]) == (7, 1, 1, stat.S_IFDIR >> 12)
    assert body[152:160] == b"." + bytes(7)
    place = 160
    for cookie, (name, node) in enumerate(entries[:count], 5):
        _check_attr(body[place + 40 : place + 128], node, node.ino)
        ino, after, length, kind = _DIRENT.unpack(body[place + 128 : place + 152])
        assert (ino, after, kind) == (node.ino, cookie, node.mode >> 12)
        assert body[place + 152 : place + 152 + length] == name
        place += 152 + -(-length // 8) * 8
    assert place == len(body)
    if count < len(entries):  # the next one would not have had room
        assert place + 152 + -(-len(entries[count][0]) // 8) * 8 > size


@pytest.mark.parametrize("data", [b"", b"abc", memoryview(b"defgh")])
def test_answers_say_how_long_they_are(data: bytes) -> None:
    answer = wire.reply(12345, data)
    assert struct.unpack("=IiQ", answer.head) == (16 + len(data), 0, 12345)
    assert answer.body is data
    assert wire.unique(answer) == 12345


def test_a_refusal() -> None:
    assert wire.refusal(3, 5) == (struct.pack("=IiQ", 16, -5, 3), b"")


def test_a_store_is_no_answer() -> None:
    head, data = wire.store(77, b"content")
    assert struct.unpack("=IiQQQI4x", head) == (16 + 24 + 7, 4, 0, 77, 0, 7)
    assert data == b"content"


def test_what_is_opened() -> None:
    assert struct.unpack("=QII", wire.opened(9, Opened.KEEP_CACHE)) == (9, 2, 0)


@given(_U63, _U63, _U32, st.binary(max_size=64))
def test_requests(unique: int, node: int, uid: int, body: bytes) -> None:
    head = struct.pack("=IIQQIIIHH", 40 + len(body), 1, unique, node, uid, 6, 7, 0, 0)
    request = wire.request(memoryview(head + body))
    assert request == (1, unique, node, uid, 7, body)
