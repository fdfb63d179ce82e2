"""The fast lane and pyfuse3 alone, asked the same by a kernel made of a socket: equal replies.

Whole trees are walked with raw requests, and each field of each reply is compared.
"""

import os
import socket
import stat
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

pytest.importorskip("pyfuse3")  # which make check does without

from isomount.fs.lane import wire
from isomount.fs.lane.wire import Opcode
from tests.command import CHECKOUT, environment
from tests.corpus import CORPUS, all_images, needs_corpus

# One daemon without a mount: a socket stands for /dev/fuse.
_SERVE = """
import sys, pyfuse3, trio
from isomount.fs import Policy, Session, Use
from isomount.fs.operations import Operations
from isomount.fs.lane.gate import Gate
from isomount.fs.lane.handlers import Handlers
from isomount.image import ViewOptions, open_image

way, path, device = sys.argv[1], sys.argv[2], int(sys.argv[3])
with open_image(path, ViewOptions()) as image:
    session = Session(image.volume, Use(), Policy(xattrs=True))
    operations = Operations(session, ready=lambda: None)
    if way == "lane":
        gate = Gate(device)
        pyfuse3.init(operations, f"/dev/fd/{gate.for_pyfuse3}", set())
        trio.run(gate.run, Handlers(session, gate.send))
    else:
        pyfuse3.init(operations, f"/dev/fd/{device}", set())
        trio.run(pyfuse3.main)
"""
_HEADER = struct.Struct("=IiQ")
_DO_READDIRPLUS, _EXPORT_SUPPORT = 1 << 13, 1 << 4
_PIECE = 100_000
_NODES_AT_MOST = 400
_READ_AT_MOST = 1_000_000


class Reply(NamedTuple):
    """An errno, and what follows the header."""

    error: int
    body: bytes


class Kernel:
    """Asks one request at a time. ``stored`` is what was put into the page cache, by node."""

    def __init__(self, device: socket.socket) -> None:
        self.stored: dict[int, bytes] = {}
        self._device = device
        self._unique = 0
        flags = _DO_READDIRPLUS | _EXPORT_SUPPORT
        self.ask(Opcode.INIT, 0, struct.pack("=IIII", 7, 31, 131072, flags))

    def ask(self, opcode: Opcode, node: int, body: bytes = b"") -> Reply:
        self._unique += 2
        head = struct.pack(
            "=IIQQIII4x", 40 + len(body), opcode, self._unique, node, 0, 0, os.getpid()
        )
        self._device.send(head + body)
        while True:
            message = self._device.recv(1 << 20)
            length, error, unique = _HEADER.unpack_from(message)
            assert length == len(message)
            if unique == self._unique:
                return Reply(-error, message[_HEADER.size :])
            assert unique == 0, "an answer to nothing that was asked"
            (node,) = struct.unpack_from("=Q", message, _HEADER.size)
            self.stored[node] = message


@contextmanager
def served(way: str, image: Path) -> Iterator[Kernel]:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        ours.settimeout(60)
        daemon = subprocess.Popen(
            [sys.executable, "-c", _SERVE, way, str(image), str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            env=environment(),
            cwd=CHECKOUT,
            stderr=subprocess.DEVNULL,
        )
        try:
            yield Kernel(ours)
            assert daemon.poll() is None
        finally:
            daemon.kill()
            daemon.wait()


def transcript(kernel: Kernel) -> list[tuple[object, ...]]:
    """Everything that is said of the tree, as far as the ways may not differ in it."""
    said: list[tuple[object, ...]] = [("statfs", kernel.ask(Opcode.STATFS, wire.ROOT))]
    todo, seen = [wire.ROOT], {wire.ROOT}
    while todo and len(seen) < _NODES_AT_MOST:
        node = todo.pop()
        entries = list(_listed(kernel, node))
        said.append(("listing", node, entries))
        said.append(("missing", kernel.ask(Opcode.LOOKUP, node, b"no such name\0")))
        for name in (b".", b".."):
            said.append(("dot", kernel.ask(Opcode.LOOKUP, node, name + b"\0")))
        for name, number, mode in entries:
            if name in (b".", b".."):
                continue
            said.append((name, kernel.ask(Opcode.LOOKUP, node, name + b"\0")))
            if number in seen or not number:
                continue
            seen.add(number)
            said += _about(kernel, number)
            if stat.S_ISDIR(mode[0]):
                todo.append(number)
    return said


def _listed(kernel: Kernel, node: int) -> Iterator[tuple[bytes, int, tuple[int, bytes]]]:
    """Name, number, and mode with all fields, of each entry; of dots what the kernel looks at."""
    opened = kernel.ask(Opcode.OPENDIR, node, bytes(8))
    handle = struct.unpack_from("=Q", opened.body)[0] if not opened.error else 0
    cookie = 0
    while True:
        asked = struct.pack("=QQI20x", handle, cookie, 4096)
        reply = kernel.ask(Opcode.READDIRPLUS, node, asked)
        if reply.error:
            yield b"", 0, (0, bytes([reply.error]))
            return
        if not reply.body:
            break
        body = reply.body
        while body:
            ino, cookie, length, kind = struct.unpack_from("=QQII", body, 128)
            name, fields = body[152 : 152 + length], body[:152]
            if name in (b".", b".."):
                yield name, ino, (kind << 12, fields[128:])
            else:
                (number,) = struct.unpack_from("=Q", fields)
                (mode,) = struct.unpack_from("=I", fields, 40 + 60)
                yield name, number, (mode, fields)
            body = body[152 + -(-length // 8) * 8 :]
    if not opened.error:
        assert not kernel.ask(Opcode.RELEASEDIR, node, struct.pack("=Q16x", handle)).error


def _about(kernel: Kernel, node: int) -> Iterator[tuple[object, ...]]:
    yield "attributes", kernel.ask(Opcode.GETATTR, node, bytes(16))
    yield "target", kernel.ask(Opcode.READLINK, node)
    for mode in (os.R_OK, os.W_OK, os.X_OK):
        yield "access", mode, kernel.ask(Opcode.ACCESS, node, struct.pack("=I4x", mode))
    for size in (0, 1, 65536):
        names = kernel.ask(Opcode.LISTXATTR, node, struct.pack("=I4x", size))
        yield "xattrs", size, names
        for name in names.body.split(b"\0")[:-1] if size > 1 else [b"user.none"]:
            asked = struct.pack("=I4x", size) + name + b"\0"
            yield name, size, kernel.ask(Opcode.GETXATTR, node, asked)
    yield "writing", kernel.ask(Opcode.OPEN, node, struct.pack("=I4x", os.O_RDWR))
    opened = kernel.ask(Opcode.OPEN, node, bytes(8))
    if opened.error:
        yield "opening", opened.error
        return
    handle, flags = struct.unpack("=QI4x", opened.body)
    yield "opening", flags
    for offset in range(0, _READ_AT_MOST, _PIECE):
        reply = kernel.ask(Opcode.READ, node, struct.pack("=QQI20x", handle, offset, _PIECE))
        yield "content", offset, reply
        if reply.error or len(reply.body) < _PIECE:
            break
    assert not kernel.ask(Opcode.RELEASE, node, struct.pack("=Q16x", handle)).error


def _compare(image: Path) -> tuple[int, int]:
    """How many answers were equal, and how many files were put into the page cache by both."""
    with served("lane", image) as lane:
        first = transcript(lane)
    with served("nolane", image) as alone:
        second = transcript(alone)
    for one, other in zip(first, second, strict=True):
        assert one == other
    # Only what is in memory is stored, and that may change in between: what both store is equal.
    both = lane.stored.keys() & alone.stored.keys()
    assert {node: lane.stored[node] for node in both} == {node: alone.stored[node] for node in both}
    return len(first), len(both)


def test_all_replies_are_equal(small_image: Path) -> None:
    answers, stored = _compare(small_image)
    assert answers > 30
    assert stored > 0


def _known_images() -> list[str]:
    """Those that open; the others have nobody to answer."""
    import isomount

    found = []
    for name in all_images():
        try:
            with isomount.open(CORPUS / name):
                found.append(name)
        except isomount.IsomountError:
            continue
    return found


@needs_corpus
@pytest.mark.slow
@pytest.mark.parametrize("name", _known_images())
def test_all_replies_for_real_images_are_equal(name: str) -> None:
    assert _compare(CORPUS / name)[0] > 3
