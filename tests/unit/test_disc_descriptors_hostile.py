"""Descriptors of discs with any damage: a sentence or a disc in order, in bounded time."""

import random
import struct
import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isomount.blocks import Store
from isomount.containers import OtherKindError, Surroundings
from isomount.containers.base import Archive
from isomount.containers.discs import blindwrite, c2d, cdi, mds, nrg
from isomount.containers.discs.disc import Disc
from isomount.containers.discs.joined import JoinedSource
from isomount.errors import IsomountError
from isomount.sources import Source
from tests.containers.blindwrite_builder import AUDIO as BW_AUDIO
from tests.containers.blindwrite_builder import Block, BwTrack, b5t
from tests.containers.c2d_builder import C2dBlock
from tests.containers.c2d_builder import c2d as written_c2d
from tests.containers.cdi_builder import CdiTrack
from tests.containers.cdi_builder import cdi as written_cdi
from tests.containers.mds_builder import AUDIO, MdsTrack
from tests.containers.mds_builder import mds as written_mds
from tests.containers.nrg_builder import DaoTrack, chunk, dao, tao
from tests.containers.nrg_builder import nrg as written_nrg
from tests.containers.tracks import Files, MemoryFile, packs, volume

Unpack = Callable[[Source, Surroundings], Source | Archive | Disc]

_DATA = bytes(3000)
_TEXT = packs({0: "An Album of a long name", 1: "One", 2: "Two"})
SAMPLES: list[tuple[Unpack, bytes]] = [
    (
        mds.unpack,
        written_mds(
            [
                MdsTrack(1, 0, 24, names=("*.mdf", "b.mdf")),
                MdsTrack(2, 174, 5, 100, AUDIO),
                MdsTrack(3, 12000, 24, session=2),
            ]
        ),
    ),
    (mds.unpack, written_mds([MdsTrack(1, 0, 24, stride=2048)], medium=0x10, wide=True)),
    (
        nrg.unpack,
        written_nrg(
            _DATA,
            dao([DaoTrack(1, 0, 0, 100, 2000), DaoTrack(2, 200, 2000, 2000, 3000, indexes=[205])])
            + chunk(b"CDTX", _TEXT),
        ),
    ),
    (
        nrg.unpack,
        written_nrg(_DATA, tao([(0, 2048, 0, 0), (9, 2352, 7, 200)], v1=True), v1=True),
    ),
    (
        cdi.unpack,
        written_cdi(
            _DATA, [[CdiTrack(0, 150, 24, 0, indexes=[3])], [CdiTrack(11702, 150, 24)]], packs=_TEXT
        ),
    ),
    (
        blindwrite.unpack,
        b5t(
            [Block(-150, 174), Block(24, 30, offset=500)],
            [BwTrack(1, -150, 174), BwTrack(2, 24, 30, BW_AUDIO, 0)],
            packs=_TEXT,
        ),
    ),
    (
        c2d.unpack,
        written_c2d(_DATA, [C2dBlock(1, 0, 9), C2dBlock(2, 10, 20, 2352, 2352, 0)], packs=_TEXT),
    ),
]
_FILES = {
    "disc.mdf": volume(),
    "b.mdf": bytes(5000),
    "disc.b5i": volume(),
}


def check(unpack: Unpack, data: bytes) -> None:
    """It is refused in words, or a disc whose runs are in order and within their files."""
    near = Files(_FILES)
    began = time.monotonic()
    try:
        disc = unpack(MemoryFile("disc.x", data), Surroundings(near, Store()))
    except (OtherKindError, IsomountError):
        assert not any(file.is_open for file in near.opened)
        return
    finally:
        assert time.monotonic() - began < 2
    assert isinstance(disc, Disc)
    assert disc.tracks
    assert len(disc.runs) <= 2 * 255 + 1001 + 1
    end = 0
    for run in disc.runs:
        assert run.lba >= end
        assert run.sectors > 0
        assert 0 <= run.offset < run.file.size
        assert run.offset + (run.sectors - 1) * run.stride < run.file.size
        run.file.read_at(run.offset, run.stride)
        end = run.end
    disc.close()
    assert not any(file.is_open for file in near.opened)


@pytest.mark.parametrize("number", range(len(SAMPLES)))
def test_changed_bytes(number: int) -> None:
    unpack, sample = SAMPLES[number]
    check(unpack, sample)
    chance = random.Random(number)
    for _ in range(3000):
        changed = bytearray(sample)
        for _ in range(chance.choice((1, 1, 2, 5))):
            at = chance.randrange(len(changed))
            width = chance.choice((1, 2, 4, 8))
            value = chance.choice((0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256)))
            changed[at : at + width] = bytes([value]) * min(width, len(changed) - at)
        if chance.random() < 0.2:
            del changed[chance.randrange(len(changed)) :]
        check(unpack, bytes(changed))


@pytest.mark.parametrize("number", range(len(SAMPLES)))
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_any_bytes_in_their_place(number: int, data: st.DataObject) -> None:
    unpack, sample = SAMPLES[number]
    at = data.draw(st.integers(0, len(sample)))
    put = data.draw(st.binary(max_size=60))
    check(unpack, sample[:at] + put + sample[at + len(put) :])


@pytest.mark.parametrize("number", range(len(SAMPLES)))
def test_cut_off_anywhere(number: int) -> None:
    unpack, sample = SAMPLES[number]
    for length in range(0, len(sample), 7):
        check(unpack, sample[:length])


def test_blocks_that_share_their_place() -> None:
    """A small file that lists the same blocks again and again is no larger disc."""
    head = struct.pack("<16sBBHH58xII", b"MEDIA DESCRIPTOR", 1, 3, 0, 99, 88, 0)
    session = struct.pack("<iiHBBHHII", -150, 9, 1, 255, 0, 1, 1, 0, 88 + 99 * 24)
    track = struct.pack("<BBBBB7xIH18xIQII24x", 0xAA, 0, 0x14, 0, 1, 0, 2352, 0, 0, 200, 88)
    check(mds.unpack, head + session * 99 + track * 255)


@given(
    st.lists(st.binary(max_size=20), min_size=1, max_size=6),
    st.integers(0, 130),
    st.integers(0, 130),
)
def test_joined_parts_are_their_bytes(parts: list[bytes], offset: int, length: int) -> None:
    whole = b"".join(parts)
    source = JoinedSource([MemoryFile(str(n), part) for n, part in enumerate(parts)])
    assert source.measure() == len(whole)
    assert source.read_at(offset, length) == whole[offset : offset + length]
    held = source.read_resident(offset, length)
    assert held is None or held == whole[offset : offset + length]
