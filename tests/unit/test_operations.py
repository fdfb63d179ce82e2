"""The handlers of requests, called without a kernel."""

import contextlib
import errno
import gc

import pyfuse3
import pytest
import trio

from isomount.fs import Operations
from tests.formats.iso_builder import IsoImage, record

_CONTEXT = pyfuse3.RequestContext()


def test_a_refused_request_leaves_nothing_that_holds_itself() -> None:
    """Python looks seldom for such cycles here, and each could hold what was read for it."""
    image = IsoImage()
    image.root(record(b"LOST.TXT;1", 1000, 4096))
    disc = image.open()
    ino = disc.volume.lookup("lost.txt").ino

    async def run() -> None:
        operations = Operations(disc.volume, ready=lambda: None)
        await operations.open(ino, 0, _CONTEXT)

        with pytest.raises(pyfuse3.FUSEError) as failure:
            await operations.read(ino, 0, 4096)
        assert failure.value.errno == errno.EIO
        del failure
        gc.collect()
        gc.disable()
        try:
            for _ in range(50):
                with contextlib.suppress(pyfuse3.FUSEError):
                    await operations.read(ino, 0, 4096)
            assert gc.collect() < 50
        finally:
            gc.enable()

    trio.run(run)
    assert disc.damage.count == 1
    assert "cannot be read at its byte 0" in disc.damage.findings[0][1]
