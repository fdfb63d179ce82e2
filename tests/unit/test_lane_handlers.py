"""The handlers of the frequent requests, called without a kernel."""

import errno
import gc
import os
import struct
from collections.abc import Callable
from typing import Any

import pytest

from isomount.formats.options import ViewOptions
from isomount.fs import Policy, Session, Use
from isomount.fs.lane import wire
from isomount.fs.lane.handlers import Handlers
from isomount.fs.lane.splice import UnspliceableError
from isomount.fs.lane.wire import Opcode, Opened, Request
from isomount.sources import FileRange
from isomount.tree import directory
from tests.formats.iso_builder import (
    IsoImage,
    MemorySource,
    directory_record,
    nm,
    px,
    record,
    sl,
)
from tests.formats.iso_builder import Opened as Disc


class Kernel:
    """What asks, and hears the answers."""

    def __init__(self, disc: Disc, *, spliced_at_most: int = 0, **policy: Any) -> None:
        self.disc = disc
        self.sent: list[bytes] = []
        self.use = Use()
        self.hear: Callable[[wire.Message], None] = self._note
        self.session = Session(disc.volume, self.use, Policy(**policy))
        self.handlers = Handlers(
            self.session, lambda message: self.hear(message), spliced_at_most=spliced_at_most
        )
        self._unique = 0

    def _note(self, message: wire.Message) -> None:
        assert not isinstance(message.body, FileRange)
        self.sent.append(message.head + message.body)

    def ask(self, opcode: Opcode, node: int, body: bytes = b"", uid: int = 0) -> Request:
        self._unique += 1
        request = Request(opcode, self._unique, node, uid, 0, body)
        assert self.handlers.handles(request)
        if not self.handlers.answer(request):
            assert not self.sent
            self.handlers.answer_slowly(request, lambda unique: True)
        return request

    def says(self, opcode: Opcode, node: int, body: bytes = b"", uid: int = 0) -> bytes:
        """The answer's body, or OSError."""
        self.sent.clear()
        request = self.ask(opcode, node, body, uid)
        *_, answer = self.sent
        length, code, unique = struct.unpack("=IiQ", answer[:16])
        assert (length, unique) == (len(answer), request.unique)
        if code:
            raise OSError(-code, os.strerror(-code))
        return answer[16:]

    def open(self, node: int) -> tuple[int, int]:
        handle, flags = struct.unpack(
            "=QI4x", self.says(Opcode.OPEN, node, struct.pack("=II", 0, 0))
        )
        return handle, flags

    def read(self, node: int, handle: int, offset: int, size: int) -> bytes:
        return self.says(Opcode.READ, node, struct.pack("=QQI20x", handle, offset, size))

    def names(self, node: int, size: int = 4096) -> list[bytes]:
        """A directory read to its end, some at a time."""
        names: list[bytes] = []
        cookie = 0
        while body := self.says(Opcode.READDIRPLUS, node, struct.pack("=QQI20x", 0, cookie, size)):
            while body:
                _, cookie, length, _ = struct.unpack("=QQII", body[128:152])
                names.append(body[152 : 152 + length])
                body = body[152 + -(-length // 8) * 8 :]
        return names


class Cold(MemorySource):
    """An image of which nothing is in memory."""

    is_cold = True

    def read_resident(self, offset: int, length: int) -> bytes | None:
        return None if self.is_cold else super().read_resident(offset, length)


def image() -> IsoImage:
    made = IsoImage()
    made.rock_ridge(
        record(b"A.TXT;1", 30, 5, use=nm(b"a.txt") + px(0o100444)),
        record(b"LOST.TXT;1", 1000, 4096, use=nm(b"lost.txt") + px(0o100444)),
        record(b"LINK", 0, 0, use=nm(b"link") + px(0o120777) + sl((0, b"a.txt"))),
        directory_record(b"D", 40, use=nm(b"d") + px(0o40555)),
    )
    made.put(30, b"hello")
    made.directory(40, *(record(b"F%02d;1" % n, 30, 5) for n in range(30)))
    return made


@pytest.fixture(params=["in memory", "on a disk"])
def kernel(request: pytest.FixtureRequest) -> Kernel:
    source = {"in memory": MemorySource, "on a disk": Cold}[request.param]
    return Kernel(Disc(source(image().data()), ViewOptions()))


def number(kernel: Kernel, name: bytes, parent: int = wire.ROOT) -> int:
    (node,) = struct.unpack_from("=Q", kernel.says(Opcode.LOOKUP, parent, name + b"\0"))
    return int(node)


def test_what_is_there_is_found_and_what_is_not_remembered(kernel: Kernel) -> None:
    node = number(kernel, b"a.txt")
    data = kernel.says(Opcode.GETATTR, node, bytes(16))
    ino, size = struct.unpack_from("=QQ", data, 16)
    assert (ino, size) == (node, 5)
    assert kernel.says(Opcode.LOOKUP, wire.ROOT, b"none\0") == wire.MISSING


def test_dots_are_found_for_those_who_export_the_mount(kernel: Kernel) -> None:
    folder = number(kernel, b"d")
    assert number(kernel, b".", folder) == folder
    assert number(kernel, b"..", folder) == wire.ROOT


def test_a_directory_is_listed_in_pieces_of_any_size(kernel: Kernel) -> None:
    folder = number(kernel, b"d")
    names = [b".", b".."] + [b"f%02d" % n for n in range(30)]
    assert kernel.names(folder) == names
    assert kernel.names(folder, 160) == names
    assert kernel.names(folder, 1 << 20) == names


def test_a_huge_directory_is_listed_from_the_disk(
    kernel: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(directory, "LISTED_AT_MOST", 10)
    folder = number(kernel, b"d")
    names = [b".", b".."] + [b"f%02d" % n for n in range(30)]
    assert kernel.names(folder, 500) == names
    assert kernel.names(folder) == names


def test_files_are_opened_read_and_closed(kernel: Kernel) -> None:
    node = number(kernel, b"a.txt")
    first, flags = kernel.open(node)
    second, _ = kernel.open(node)
    assert first != second
    assert flags == Opened.KEEP_CACHE
    assert kernel.read(node, first, 0, 4096) == b"hello"
    kernel.says(Opcode.RELEASE, node, struct.pack("=Q16x", first))
    assert kernel.read(node, second, 1, 3) == b"ell"


def test_a_small_file_is_pushed_at_its_first_open_and_never_again() -> None:
    kernel = Kernel(image().open())
    node = number(kernel, b"a.txt")
    kernel.open(node)
    assert len(kernel.sent) == 2
    assert struct.unpack("=IiQQQI4x", kernel.sent[0][:40]) == (45, 4, 0, node, 0, 5)
    assert kernel.sent[0][40:] == b"hello"
    kernel.open(node)
    assert len(kernel.sent) == 1


def test_a_file_that_was_opened_from_the_disk_is_never_pushed() -> None:
    node = number(Kernel(image().open()), b"a.txt")
    source = Cold(image().data())
    kernel = Kernel(Disc(source, ViewOptions()))
    assert not kernel.handlers.answer(Request(Opcode.OPEN, 99, node, 0, 0, bytes(8)))
    source.is_cold = False
    kernel.open(node)
    assert len(kernel.sent) == 1  # while the first one may be reading already


def test_nothing_is_opened_for_writing(kernel: Kernel) -> None:
    node = number(kernel, b"a.txt")
    with pytest.raises(OSError, match=os.strerror(errno.EROFS)):
        kernel.says(Opcode.OPEN, node, struct.pack("=II", os.O_RDWR, 0))


@pytest.mark.parametrize(("offers", "sees_visits"), [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_a_kernel_that_opens_directories_by_itself_is_told_to(
    offers: int, sees_visits: int
) -> None:
    kernel = Kernel(image().open(), sees_visits=bool(sees_visits))
    kernel.handlers.kernel_opens_directories = bool(offers)
    if offers and not sees_visits:
        with pytest.raises(OSError, match=os.strerror(errno.ENOSYS)):
            kernel.says(Opcode.OPENDIR, wire.ROOT, bytes(8))
        return
    answer = struct.unpack("=QI4x", kernel.says(Opcode.OPENDIR, wire.ROOT, bytes(8)))
    assert answer == (0, Opened.KEEP_CACHE | Opened.CACHE_DIR)


def test_who_is_not_let_in_gets_nothing() -> None:
    kernel = Kernel(image().open(), only_for=frozenset((0, 1000)))
    kernel.handlers.kernel_opens_directories = True
    node = number(kernel, b"a.txt")
    asked = [
        (Opcode.LOOKUP, wire.ROOT, b"a.txt\0"),
        (Opcode.GETATTR, node, bytes(16)),
        (Opcode.OPENDIR, wire.ROOT, bytes(8)),
        (Opcode.OPEN, node, bytes(8)),
    ]
    before = kernel.use.last_used = 0.0
    for opcode, place, body in asked:
        # OPENDIR too: a kernel that opens by itself would not ask who it is.
        with pytest.raises(OSError, match=os.strerror(errno.EACCES)):
            kernel.says(opcode, place, body, uid=1001)
    assert kernel.use.last_used == before
    for opcode, place, body in asked:
        kernel.says(opcode, place, body, uid=1000)
    assert kernel.use.last_used > before


def test_who_was_handed_something_open_may_use_it() -> None:
    kernel = Kernel(image().open(), only_for=frozenset((0,)))
    node = number(kernel, b"a.txt")
    handle, _ = kernel.open(node)
    listing = struct.pack("=QQI20x", 0, 0, 4096)
    assert b"a.txt" in kernel.says(Opcode.READDIRPLUS, wire.ROOT, listing, uid=1001)
    reading = struct.pack("=QQI20x", handle, 0, 4096)
    assert kernel.says(Opcode.READ, node, reading, uid=1001) == b"hello"
    kernel.says(Opcode.RELEASE, node, struct.pack("=Q16x", handle), uid=1001)
    kernel.says(Opcode.RELEASEDIR, wire.ROOT, bytes(24), uid=1001)


def test_what_is_forgotten_needs_no_answer_and_is_no_use(kernel: Kernel) -> None:
    kernel.ask(Opcode.FORGET, 5, bytes(8))
    kernel.ask(Opcode.BATCH_FORGET, 0, bytes(8))
    assert kernel.sent == []
    assert kernel.use.last_used == 0
    number(kernel, b"a.txt")
    assert kernel.use.last_used > 0


def test_an_answer_that_nobody_wants_any_more_is_not_sent_and_leaves_nothing_open() -> None:
    kernel = Kernel(Disc(Cold(image().data()), ViewOptions()))
    node = number(kernel, b"a.txt")
    kernel.sent.clear()
    for opcode, place, body in (
        (Opcode.OPEN, node, bytes(8)),
        (Opcode.LOOKUP, wire.ROOT, b"a.txt\0"),
        (Opcode.OPEN, wire.ROOT, bytes(8)),
    ):
        request = Request(opcode, 99, place, 0, 0, body)
        kernel.handlers.answer_slowly(request, lambda unique: False)  # it was interrupted
    assert kernel.sent == []
    assert len(kernel.session.files) == 0


def test_links_are_read(kernel: Kernel) -> None:
    link = number(kernel, b"link")
    assert kernel.says(Opcode.READLINK, link) == b"a.txt"
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        kernel.says(Opcode.READLINK, number(kernel, b"a.txt"))


def test_without_xattrs_the_kernel_is_told_so_once_and_for_all(kernel: Kernel) -> None:
    node = number(kernel, b"a.txt")
    for opcode, body in (
        (Opcode.GETXATTR, struct.pack("=I4x", 0) + b"user.x\0"),
        (Opcode.LISTXATTR, struct.pack("=I4x", 0)),
    ):
        with pytest.raises(OSError, match=os.strerror(errno.ENOSYS)):
            kernel.says(opcode, node, body)


def test_extended_attributes_for_who_has_room(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = Kernel(image().open(), xattrs=True)
    node = number(kernel, b"a.txt")
    values = {b"user.a": b"1", b"user.b": bytes(65000)}
    monkeypatch.setattr(kernel.disc.volume, "xattrs", lambda ino, reader: values)

    def get(name: bytes, size: int) -> bytes:
        return kernel.says(Opcode.GETXATTR, node, struct.pack("=I4x", size) + name + b"\0")

    def names(size: int) -> bytes:
        return kernel.says(Opcode.LISTXATTR, node, struct.pack("=I4x", size))

    assert get(b"user.a", 0) == struct.pack("=I4x", 1)
    assert get(b"user.b", 65000) == bytes(65000)
    assert names(0) == struct.pack("=I4x", 14)
    assert names(14) == b"user.a\0user.b\0"
    with pytest.raises(OSError, match=os.strerror(errno.ERANGE)):
        get(b"user.b", 64999)
    with pytest.raises(OSError, match=os.strerror(errno.ERANGE)):
        names(13)
    with pytest.raises(OSError, match=os.strerror(errno.ENODATA)):
        get(b"user.c", 100)


class Mapped(MemorySource):
    """An image whose ranges can be sent as such."""

    def resident_range(self, offset: int, length: int) -> FileRange:
        return FileRange(0, offset, length)


def test_long_reads_are_sent_as_ranges_and_read_where_that_fails() -> None:
    made = IsoImage(blocks=300)
    made.root(record(b"A.TXT;1", 30, 500_000))
    made.put(30, bytes(range(250)) * 2000)
    kernel = Kernel(Disc(Mapped(made.data()), ViewOptions()), spliced_at_most=200_000)
    sent: list[wire.Message] = []
    node = number(kernel, b"a.txt")
    handle, _ = kernel.open(node)
    kernel.hear = sent.append

    def read(offset: int, size: int) -> wire.Body:
        body = struct.pack("=QQI20x", handle, offset, size)
        kernel.ask(Opcode.READ, node, body)
        return sent.pop().body

    whole = read(1000, 200_000)
    assert isinstance(whole, FileRange)
    assert (whole.offset, len(whole)) == (30 * 2048 + 1000, 200_000)
    rest = read(400_000, 200_000)
    assert isinstance(rest, FileRange)
    assert len(rest) == 100_000
    assert isinstance(read(0, 200_001), bytes)
    assert isinstance(read(0, 4096), bytes)

    def refuse(message: wire.Message) -> None:
        if isinstance(message.body, FileRange):
            raise UnspliceableError
        sent.append(message)

    kernel.sent.clear()
    kernel.hear = refuse
    assert read(250, 100_000) == bytes(range(250)) * 400


@pytest.mark.parametrize("body", [b"", b"\xff" * 40], ids=["empty", "nonsense"])
def test_a_request_that_makes_no_sense_is_refused(
    kernel: Kernel, body: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        kernel.says(Opcode.READ, 5, body)
    assert "in a way that it should not" in caplog.text
    caplog.clear()


def test_a_refused_request_leaves_nothing_that_holds_itself(kernel: Kernel) -> None:
    """Python looks seldom for such cycles here, and each could hold what was read for it."""
    node = number(kernel, b"lost.txt")
    handle, flags = kernel.open(node)
    assert flags & Opened.DIRECT_IO  # its last bytes before the image's end can be read
    request = Request(Opcode.READ, 7, node, 0, 0, struct.pack("=QQI20x", handle, 0, 4096))

    def ask() -> None:
        if not kernel.handlers.answer(request):
            kernel.handlers.answer_slowly(request, lambda unique: True)

    kernel.sent.clear()
    ask()
    assert kernel.sent == [struct.pack("=IiQ", 16, -errno.EIO, 7)]
    gc.collect()
    gc.disable()
    try:
        for _ in range(50):
            ask()
        assert gc.collect() < 50
    finally:
        gc.enable()
    damage = kernel.disc.damage
    assert damage.count == 1
    assert "cannot be read at its byte 0" in damage.findings[0][1]
