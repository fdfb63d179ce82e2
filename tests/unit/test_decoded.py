"""What decoded sources have in common."""

import zlib
from pathlib import Path

import pytest

from isomount.blocks import Store
from isomount.blocks.aligned import AlignedBlocks
from isomount.containers.decoded import BlockwiseSource
from isomount.errors import DamagedDataError
from isomount.sources import FileObjectSource, LocalSource, Window, reads_at_once
from tests.formats.iso_builder import MemorySource

DATA = bytes(range(256)) * 1000
LENGTH = 1000


class Plain(BlockwiseSource):
    """Blocks that stand one behind the other."""

    bad = -1

    def __init__(self, data: bytes = DATA) -> None:
        super().__init__(MemorySource(data), len(data), LENGTH)
        self.made: list[int] = []

    def block(self, number: int) -> bytes:
        self.made.append(number)
        if number == self.bad:
            raise DamagedDataError("bad")
        return self._file.read_at(number * LENGTH, self.length_of(number))


def test_any_range_is_made_of_blocks() -> None:
    source = Plain()
    for offset, length in ((0, 1), (999, 2), (5000, 7000), (len(DATA) - 5, 100), (0, len(DATA))):
        assert source.read_at(offset, length) == DATA[offset : offset + length]
    assert source.read_at(len(DATA), 5) == source.read_at(5, -1) == b""


def test_small_blocks_are_kept_several_together() -> None:
    source = Plain()
    assert source.block_size == 32 * LENGTH
    assert source.block_length == LENGTH


def test_damage_is_lost_alone_although_blocks_are_kept_together() -> None:
    source = Plain()
    source.bad = 40
    assert source.block_size is not None
    blocks = AlignedBlocks(source, Store(), source.block_size)
    with pytest.raises(DamagedDataError):
        blocks.read_at(40 * LENGTH + 5, 10)
    for number in (39, 41, 63, 32):
        at = number * LENGTH
        assert blocks.read_at(at, LENGTH) == DATA[at : at + LENGTH]


def test_who_may_be_read_with_nobody_waiting(tmp_path: Path) -> None:
    path = tmp_path / "a.iso"
    path.write_bytes(zlib.compress(DATA))
    local = LocalSource(path)
    assert reads_at_once(local) > 1
    assert reads_at_once(Window(local, 5)) == reads_at_once(local)
    with open(path, "rb") as file:
        assert reads_at_once(FileObjectSource(file)) == 0
    assert Plain().reads_at_once == 0, "what it reads says nothing"
    local.close()
