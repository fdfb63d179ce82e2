"""For tests of compressed streams: contents, files of them, and how they are unpacked."""

import random
from pathlib import Path

import pytest

from isomount.blocks import Store
from isomount.containers.base import Archive, OtherKindError, Surroundings
from isomount.containers.discs.disc import Disc
from isomount.containers.kinds import HEAD, KINDS
from isomount.containers.siblings import NoSiblings
from isomount.errors import IsomountError
from isomount.sources import LocalSource, Source


def content(size: int, seed: int = 0) -> bytes:
    """Bytes of which a part can be compressed, another can not, and much is zeros."""
    chance = random.Random(seed)
    pieces: list[bytes] = []
    length = 0
    while length < size:
        piece = chance.choice(
            (
                chance.randbytes(chance.randrange(1, 30_000)),
                bytes(chance.randrange(1, 30_000)),
                b"".join(b"line %d of it\n" % n for n in range(chance.randrange(1, 2000))),
            )
        )
        pieces.append(piece)
        length += len(piece)
    return b"".join(pieces)[:size]


def unpacked(path: Path, notices: list[str] | None = None) -> Source:
    """What the first kind that knows the file makes of it."""
    notice = [] if notices is None else notices
    surroundings = Surroundings(NoSiblings(), Store(), notice.append)
    file = LocalSource(path)
    head = file.read_at(0, HEAD)
    kind = next(each for each in KINDS if each.is_at_start(head, file.name))
    found = kind.unpack(file, surroundings)
    assert not isinstance(found, Archive | Disc)
    return found


def read_all(source: Source, step: int = 70_000) -> bytes:
    """All of it, from the front to the end."""
    pieces = []
    at = 0
    while piece := source.read_at(at, step):
        pieces.append(piece)
        at += len(piece)
    return b"".join(pieces)


def check_random(source: Source, whole: bytes, times: int = 25) -> None:
    """Ranges anywhere in it are right."""
    chance = random.Random(len(whole))
    for _ in range(times):
        at = chance.randrange(len(whole))
        assert source.read_at(at, 5000) == whole[at : at + 5000]


def mutate(path: Path, stored: bytes, whole: bytes, times: int) -> None:
    """With any byte changed, each read is right, or raises an error of our own, or is damage that
    no checksum is there for; nothing else comes out of it, and nothing hangs."""
    chance = random.Random(len(stored))
    for _ in range(times):
        broken = bytearray(stored)
        for _ in range(chance.randrange(1, 4)):
            broken[chance.randrange(len(broken))] = chance.randrange(256)
        path.write_bytes(broken[: chance.choice((len(broken), chance.randrange(len(broken))))])
        try:
            source = unpacked(path)
        except (IsomountError, OtherKindError, StopIteration):
            continue
        try:
            for at in range(0, len(whole), 1 + len(whole) // 7):
                try:
                    assert len(source.read_at(at, 3000)) <= 3000
                except (IsomountError, OSError):
                    continue
            assert source.measure() >= 0
        finally:
            source.close()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What is kept is kept here."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "isomount"
