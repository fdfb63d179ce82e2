"""The contract between a disc format and the tree that is cached above it."""

from collections.abc import Iterator
from typing import Protocol

from isomount.blocks import Reader
from isomount.formats.node import Entry, Node, StatFs


class View(Protocol):
    """One way to see an image (Rock Ridge, Joliet, UDF ...): bytes in, nodes out, nothing kept.

    An inode number is an address: any node can be made again from its number alone. Numbers are
    above 1; the root is ``root`` whatever its address. Every call takes the reader to use, so that
    the same code answers from memory (NotResidentError where it would wait) or waits in a worker.

    Damage raises DamagedDataError, a number that leads nowhere StaleNodeError.
    """

    @property
    def name(self) -> str:
        """Which view this is, for people: "Rock Ridge", "Joliet", "ISO 9660", "UDF 2.50"..."""

    @property
    def label(self) -> str:
        """The volume's name, "" when it has none."""

    @property
    def root(self) -> int:
        """The root directory's inode number."""

    @property
    def folds_case(self) -> bool:
        """Whether a lookup that fails may be tried without regard to ASCII case and final dots."""

    def node(self, reader: Reader, ino: int) -> Node:
        """The node with that number."""

    def parent(self, reader: Reader, ino: int) -> int:
        """The number of the directory that holds the directory ``ino``; the root holds itself."""

    def directory_size(self, reader: Reader, ino: int) -> int:
        """How many bytes must be parsed to list the directory, at the most."""

    def entries(self, reader: Reader, ino: int, position: int = 0) -> Iterator[Entry]:
        """The entries of a directory in disc order, without "." and "..", from ``position`` on."""

    def xattrs(self, reader: Reader, ino: int) -> dict[bytes, bytes]:
        """The extended attributes of a node, with the prefix that Linux wants of their names."""

    def statfs(self) -> StatFs:
        """The volume's size."""
