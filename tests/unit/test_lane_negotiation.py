"""INIT as kernels old and new send it, answered by the real pyfuse3, and what the lane makes of it.

A socket stands for /dev/fuse, so that kernels can be had which are not here.
"""

import socket
import struct
import subprocess
import sys
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("pyfuse3")  # which make check does without

from isomount.fs.lane import wire
from isomount.fs.lane.negotiation import (
    negotiated,
    offers_to_open_directories,
    with_background,
)
from isomount.fs.lane.wire import Opcode, Request
from tests.command import CHECKOUT, environment

_DO_READDIRPLUS = 1 << 13
_NO_OPENDIR_SUPPORT = 1 << 24
_INIT_EXT = 1 << 30


class Linux(NamedTuple):
    """What a kernel offers in INIT: its version of the protocol, flags, and later flags2."""

    name: str
    minor: int
    flags: int
    flags2: int = 0

    def init(self) -> bytes:
        body = struct.pack("=IIII", 7, self.minor, 131072, self.flags & 0xFFFFFFFF)
        if self.minor >= 36:  # since then with flags2 and what is not used yet
            body += struct.pack("=I44x", self.flags2)
        return struct.pack("=IIQQIII4x", 40 + len(body), Opcode.INIT, 1, 0, 0, 0, 0) + body


# The flags are all that the kernel of that version has names for.
KERNELS = [
    Linux("3.15", 23, 0x1FFFF),
    Linux("4.14", 26, 0x1FFFFF),
    Linux("4.18", 27, 0x3FFFFF),
    Linux("4.20", 28, 0xFFFFFF),
    Linux("5.4", 31, 0x3FFFFFF),
    Linux("5.10", 32, 0x7FFFFFF),
    Linux("6.1", 37, 0x7FFFFFFF, 0x3),
    Linux("6.12", 41, 0x7FFFFFFF, 0x3FF),
]

# The lane as the daemon runs it, up to the end of negotiation.
_NEGOTIATE = """
import os, sys, pyfuse3, trio
from isomount.fs.lane.gate import Gate

class Handlers:
    kernel_opens_directories = False
    def look_ahead(self):
        return False

handlers = Handlers()
gate = Gate(int(sys.argv[1]))
pyfuse3.init(pyfuse3.Operations(), f"/dev/fd/{gate.for_pyfuse3}", set())
obstacle = trio.run(gate.negotiate, handlers)
print(int(handlers.kernel_opens_directories), obstacle)
os._exit(0)
"""


def _negotiate(init: bytes) -> tuple[str, bytes]:
    """What the lane says, and what the kernel is told."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        ours.settimeout(30)
        ours.send(init)
        done = subprocess.run(
            [sys.executable, "-c", _NEGOTIATE, str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            env=environment(),
            cwd=CHECKOUT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip(), ours.recv(8192)


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: kernel.name)
def test_the_lane_fits_what_kernels_offer_and_pyfuse3_takes(kernel: Linux) -> None:
    said, reply = _negotiate(kernel.init())
    agreed = negotiated(reply)
    assert agreed.error == 0
    assert agreed.version[0] == 7
    assert agreed.flags & _DO_READDIRPLUS
    assert agreed.flags & ~kernel.flags == 0
    opens_by_itself = int(bool(kernel.flags & _NO_OPENDIR_SUPPORT))
    assert said == f"{opens_by_itself}"


def test_a_kernel_with_another_protocol_keeps_the_lane_off() -> None:
    """libfuse asks such a kernel to begin again with an older version."""
    body = struct.pack("=IIII", 8, 0, 131072, 0)
    init = struct.pack("=IIQQIII4x", 40 + len(body), Opcode.INIT, 1, 0, 0, 0, 0) + body
    said, _ = _negotiate(init)
    assert "READDIRPLUS" in said or "version" in said


def _reply(error: int, major: int, minor: int, flags: int, flags2: int = 0) -> bytes:
    body = struct.pack("=IIIIHHIIHHI28x", major, minor, 0, flags, 0, 0, 1 << 20, 1, 0, 0, flags2)
    return struct.pack("=IiQ", 16 + len(body), error, 1) + body


@pytest.mark.parametrize(
    ("reply", "word"),
    [
        (_reply(-71, 7, 38, _DO_READDIRPLUS), "error 71"),
        (_reply(0, 7, 22, _DO_READDIRPLUS), "7.22"),
        (_reply(0, 8, 38, _DO_READDIRPLUS), "8.38"),
        (_reply(0, 7, 38, 0), "READDIRPLUS"),
        (_reply(0, 7, 38, _DO_READDIRPLUS | 1 << 16), "0x10000"),  # FUSE_WRITEBACK_CACHE
        (_reply(0, 7, 43, _DO_READDIRPLUS | _INIT_EXT, 1 << 9), "0x20000000000"),  # io_uring
        (b"", "version"),
    ],
)
def test_what_the_lane_does_not_know_keeps_it_off(reply: bytes, word: str) -> None:
    assert word in negotiated(reply).obstacle


@given(st.binary(max_size=100))
def test_any_reply_can_be_judged(reply: bytes) -> None:
    agreed = negotiated(reply)
    assert isinstance(agreed.obstacle, str)
    assert 0 <= agreed.max_write < 1 << 32


@given(st.binary(max_size=100))
def test_any_init_can_be_looked_at(body: bytes) -> None:
    flags = int.from_bytes(body.ljust(16, b"\0")[12:16], sys.byteorder)
    init = Request(Opcode.INIT, 1, 0, 0, 0, body)
    assert offers_to_open_directories(init) == bool(flags & _NO_OPENDIR_SUPPORT)


def test_names_for_the_log() -> None:
    assert wire.name(Opcode.LSEEK) == "lseek"
    assert wire.name(4000) == "opcode 4000"


def test_more_requests_under_way_change_nothing_else() -> None:
    reply = bytes(range(1, 81))
    changed = with_background(reply, 128)
    # fuse_out_header (16 bytes), then major, minor, max_readahead, flags: four numbers.
    assert changed[32:36] == (128).to_bytes(2, sys.byteorder) + (96).to_bytes(2, sys.byteorder)
    assert changed[:32] + reply[32:36] + changed[36:] == reply
    assert with_background(reply[:40], 128) == reply[:40]  # of a kernel without these fields
