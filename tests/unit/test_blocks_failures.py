"""The block cache before a source that fails, or has become shorter."""

import errno
import gc
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from isomount.blocks import BlockCache, NotResidentError, Store
from isomount.errors import DamagedDataError
from tests.uncached import AMPLE, BLOCK, DATA, MINUTE, Bad, Gated, Remote


def outcome(read: Callable[[], bytes]) -> bytes | Exception:
    try:
        return read()
    except (OSError, DamagedDataError) as error:
        return error


def test_a_failure_is_not_remembered() -> None:
    source = Bad(5)
    blocks = BlockCache(source)
    for _ in range(2):
        with pytest.raises(OSError, match="bad"):
            blocks.read(0, 1)
    source.places = ()
    assert blocks.read(0, 1) == DATA[:1]
    assert len(source.loads) == 3


def test_a_failure_reaches_all_who_wait() -> None:
    class GatedAndBad(Gated):
        def read_at(self, offset: int, length: int) -> bytes:
            super().read_at(offset, length)
            raise OSError(errno.EIO, "bad")

    source = GatedAndBad(0)
    blocks = BlockCache(source)
    waiting = threading.Barrier(5)

    def ask() -> bytes | Exception:
        waiting.wait(MINUTE)
        return outcome(lambda: blocks.read(0, 1))

    with ThreadPoolExecutor(5) as pool:
        first: Future[bytes | Exception] = pool.submit(outcome, lambda: blocks.read(0, 1))
        assert source.begun.wait(MINUTE)
        others = [pool.submit(ask) for _ in range(4)]
        waiting.wait(MINUTE)
        source.go_on.set()
        answers = [each.result(MINUTE) for each in (first, *others)]
    assert all(isinstance(answer, OSError) and answer.errno == errno.EIO for answer in answers)


@pytest.mark.parametrize("error", [OSError(errno.EIO, "bad"), DamagedDataError("bad")])
def test_a_bad_block_fails_alone(error: Exception) -> None:
    source = Bad(5 * BLOCK + 1, error=error)
    blocks = BlockCache(source, Store(AMPLE))
    assert outcome(lambda: blocks.read(3 * BLOCK, 5 * BLOCK)) is error
    # What came before it was not lost with it.
    assert blocks.resident.read(3 * BLOCK, 2 * BLOCK) == DATA[3 * BLOCK : 5 * BLOCK]
    assert blocks.read(6 * BLOCK, BLOCK) == DATA[6 * BLOCK : 7 * BLOCK]
    assert outcome(lambda: blocks.read(5 * BLOCK, 1)) is error


def test_a_bad_block_ahead_disturbs_nobody() -> None:
    source = Bad(3 * BLOCK)
    blocks = BlockCache(source, Store(AMPLE))
    for number in range(3):
        at = number * BLOCK
        assert blocks.read(at, BLOCK) == DATA[at : at + BLOCK]
    with pytest.raises(OSError, match="bad"):
        blocks.read(3 * BLOCK, 1)
    assert blocks.read(4 * BLOCK, 1) == DATA[4 * BLOCK : 4 * BLOCK + 1]


def test_an_error_of_another_kind_leaves_the_block_to_others() -> None:
    source = Bad(0, error=ZeroDivisionError())
    blocks = BlockCache(source)
    with pytest.raises(ZeroDivisionError):
        blocks.read(0, 3 * BLOCK)
    source.places = ()
    assert blocks.read(0, 3 * BLOCK) == DATA[: 3 * BLOCK]


def test_an_error_leaves_no_cycle_behind() -> None:
    blocks = BlockCache(Bad(0, error=DamagedDataError("bad")), Store(AMPLE))
    outcome(lambda: blocks.read(0, 1))
    gc.collect()
    for _ in range(10):
        outcome(lambda: blocks.read(0, 3 * BLOCK))
    assert gc.collect() == 0


def test_an_image_that_shrank_is_damage_until_it_has_grown_again() -> None:
    source = Remote()
    blocks = BlockCache(source, Store(AMPLE))
    source.data = DATA[: 4 * BLOCK + 20]
    assert blocks.read(4 * BLOCK + 10, 10) == DATA[4 * BLOCK + 10 : 4 * BLOCK + 20]
    for offset, length in ((4 * BLOCK + 15, 10), (0, 20 * BLOCK), (60 * BLOCK, 1)):
        with pytest.raises(DamagedDataError, match="remote: has become shorter since it was"):
            blocks.read(offset, length)
        with pytest.raises(NotResidentError):
            blocks.resident.read(offset, length)
    assert blocks.resident.read(0, 4 * BLOCK) == DATA[: 4 * BLOCK]
    source.data = DATA
    assert blocks.read(0, len(DATA)) == DATA
