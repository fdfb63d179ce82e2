"""The contract of a container: what it is unpacked from, and what comes of it."""

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple, Protocol

from isomount.blocks import AlignedBlocks, Store
from isomount.sources import Source


class Closable(Protocol):
    """What holds something open."""

    def close(self) -> None:
        """Let it go."""


@contextmanager
def closed_on_failure(thing: Closable) -> Iterator[None]:
    """Close ``thing`` if what is done with it inside fails: then nobody else would."""
    try:
        yield
    except BaseException:  # Ctrl-C too
        thing.close()
        raise


class OtherKindError(Exception):
    """It only looked like this kind of container: others are tried, and nothing is said."""


class Siblings(Protocol):
    """The files beside a container, which it may name: of a directory, or of an archive."""

    def names(self) -> Sequence[str]:
        """What is there, by name, as far as that can be listed."""

    def open(self, name: str) -> Source:
        """The regular file ``name``, a path relative to here with "/" between its parts.

        Raises ImageUnreadableError: nothing is there, or it is no regular file.
        """


class Member(NamedTuple):
    """A file in an archive: its path there, and how many bytes it has unpacked."""

    name: str
    size: int


class Archive(ABC):
    """Files in one file. The paths of members have "/" between their parts."""

    @property
    @abstractmethod
    def members(self) -> Sequence[Member]:
        """Its regular files, in the order of the archive."""

    @abstractmethod
    def open(self, name: str) -> Source:
        """The content of the member ``name``, which can be read until it is closed itself.

        Raises MissingImageError if there is none.
        """

    @abstractmethod
    def close(self) -> None:
        """Close the file that it is, once no member is open any more."""


class Surroundings(NamedTuple):
    """Where a container stands, and what it may use.

    ``store`` is the memory for decoded blocks, which all containers of one image share. ``notice``
    is told, in a sentence, what takes long or much room, before it is done.
    """

    siblings: Siblings
    store: Store
    notice: Callable[[str], None] = logging.getLogger("isomount.containers").warning

    def cached(self, source: Source) -> Source:
        """``source`` for reading any few bytes of it again and again: decoded once, if at all."""
        if source.block_size is None:
            return source
        return AlignedBlocks(source, self.store, source.block_size)
