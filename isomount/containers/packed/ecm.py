"""ECM (.ecm): raw sectors of a CD without what can be computed of them.

A file is made of records: a header with a type and a count, then bytes as they are, or so many
sectors of which only the address or the subheader and the user data are stored. What is computed of
a sector takes Python long and no file system looks at it: EDC and ECC are zeros here.
"""

from collections.abc import Iterator

from isomount.containers.base import Surroundings
from isomount.containers.decoded import DecodedSource
from isomount.containers.packed.ecm_index import (
    BYTES,
    FORM1,
    FORM2,
    MADE,
    MODE1,
    RAW_FORM1,
    RAW_FORM2,
    STORED,
    EcmIndex,
    Stretch,
    index_of,
)
from isomount.errors import DamagedDataError
from isomount.sources import Source

__all__ = ["EcmSource", "unpack"]

# ECMA-130 14.1 to 14.3.
_SYNC = b"\0" + b"\xff" * 10 + b"\0"
_MODE1 = b"\1"
_ECC, _MODE1_ECC, _FORM2_EDC = bytes(4 + 276), bytes(4 + 8 + 276), bytes(4)
# A record's header before each of the two that a sector of mode 2 is made of.
_HEADER, _HEADED = 1, 16
# What is kept as one: whole sectors, about 64 KiB.
_BLOCK = 28 * 2352


class EcmSource(DecodedSource):
    """The raw sectors in an ECM file, with zeros for EDC and ECC."""

    def __init__(self, file: Source, index: EcmIndex) -> None:
        super().__init__(file, index.size, _BLOCK)
        self._index = index

    def read_at(self, offset: int, length: int) -> bytes:
        """The bytes of that range, short only at the end."""
        end = offset + max(0, min(length, self.size - offset))
        pieces: list[bytes] = []
        for stretch in self._index.between(offset, end):
            start = max(offset, stretch.start)
            stop = min(end, stretch.end)
            pieces.append(self._piece(stretch, start - stretch.start, stop - start))
        return b"".join(pieces)

    def _piece(self, stretch: Stretch, within: int, length: int) -> bytes:
        """``length`` bytes of a stretch, ``within`` bytes behind its start."""
        made, stored = MADE[stretch.kind], STORED[stretch.kind]
        first, end = within // made, -(-(within + length) // made)
        data = self._file.read_at(stretch.place + first * stored, (end - first) * stored)
        if len(data) < (end - first) * stored:
            raise DamagedDataError(f"an ECM file is cut off at byte {stretch.place + len(data)}")
        if stretch.kind == BYTES:
            return data
        units = b"".join(_MAKE[stretch.kind](data))
        return units[within - first * made :][:length]


def _mode1(data: bytes) -> Iterator[bytes]:
    stored = STORED[MODE1]
    for at in range(0, len(data), stored):
        yield _SYNC + data[at : at + 3] + _MODE1
        yield data[at + 3 : at + stored] + _MODE1_ECC


def _form1(data: bytes) -> Iterator[bytes]:
    stored = STORED[FORM1]
    for at in range(0, len(data), stored):
        yield data[at : at + 4] + data[at : at + stored] + _ECC


def _form2(data: bytes) -> Iterator[bytes]:
    stored = STORED[FORM2]
    for at in range(0, len(data), stored):
        yield data[at : at + 4] + data[at : at + stored] + _FORM2_EDC


def _raw_form1(data: bytes) -> Iterator[bytes]:
    stored = STORED[RAW_FORM1]
    subheader = _HEADER + _HEADED + _HEADER
    for at in range(0, len(data), stored):
        yield data[at + _HEADER : at + _HEADER + _HEADED] + data[at + subheader :][:4]
        yield data[at + subheader : at + stored] + _ECC


def _raw_form2(data: bytes) -> Iterator[bytes]:
    stored = STORED[RAW_FORM2]
    subheader = _HEADER + _HEADED + _HEADER
    for at in range(0, len(data), stored):
        yield data[at + _HEADER : at + _HEADER + _HEADED] + data[at + subheader :][:4]
        yield data[at + subheader : at + stored] + _FORM2_EDC


_MAKE = {
    MODE1: _mode1,
    FORM1: _form1,
    FORM2: _form2,
    RAW_FORM1: _raw_form1,
    RAW_FORM2: _raw_form2,
}


def unpack(file: Source, surroundings: Surroundings) -> Source:
    """The raw sectors in an ECM file. Raises DamagedImageError."""
    return EcmSource(file, index_of(file))
