"""How an image is read: waiting for it, or never waiting."""

from collections.abc import Callable, Hashable, Iterator
from typing import Protocol

from isomount.sources import FileRange, Source


class NotResidentError(Exception):
    """The answer would have to wait for the source or a decoder: ask again from a worker thread."""


class Coded(Hashable, Protocol):
    """Bytes that are made of an image's in blocks: a compressed file. Equal ones give the same."""

    @property
    def size(self) -> int:
        """The number of bytes."""

    @property
    def block_size(self) -> int:
        """The bytes that are decoded at once."""

    def decode(self, reader: "Reader", numbers: range) -> Iterator[bytes]:
        """The blocks of these numbers, counted from 0; the last one may be shorter.

        Raises DamagedDataError or OSError.
        """


class Reader(Protocol):
    """What formats and contents read an image through."""

    @property
    def size(self) -> int:
        """The image's size in bytes."""

    def read(self, offset: int, length: int) -> bytes:
        """That range, short only where the image ends. Raises DamagedDataError or OSError."""

    def decoded(self, coded: Coded, offset: int, length: int) -> bytes:
        """That range of what ``coded`` decodes, which is kept, and decoded ahead of who reads in
        order. Short only at the end. Raises DamagedDataError or OSError."""


class ResidentReader:
    """The image, read without ever waiting: NotResidentError where that is impossible.

    For one thread alone, the one that must not wait.
    """

    def __init__(self, source: Source, decoder: Callable[[Coded], Source]) -> None:
        """``decoder`` gives the source of what is decoded. It must not wait either."""
        self.size = source.size
        self._source = source
        self._decoder = decoder

    def read(self, offset: int, length: int) -> bytes:
        """That range out of memory, or NotResidentError."""
        return bytes(self.read_data(offset, length))

    def read_data(self, offset: int, length: int) -> bytes | memoryview:
        """As ``read``, without a copy of what the source gave: good until the next read."""
        wanted = min(length, self.size - offset)
        if wanted <= 0 or offset < 0:
            return b""
        data = self._source.read_resident(offset, wanted)
        # A short answer means that the image shrank: the waiting reader finds the words for it.
        if data is None or len(data) < wanted:
            raise NotResidentError
        return data

    def range(self, offset: int, length: int) -> FileRange | None:
        """Where that range stands, if it can be handed on unread."""
        return self._source.resident_range(offset, length) if offset >= 0 else None

    def decoded(self, coded: Coded, offset: int, length: int) -> bytes:
        """What is decoded already, or NotResidentError: decoding belongs to a worker."""
        data = self._decoder(coded).read_resident(offset, length)
        if data is None:
            raise NotResidentError
        return bytes(data)
