"""The interface between a disc format and the cached tree above it."""

from collections.abc import Iterator
from typing import Protocol

from isomount.blocks import Reader
from isomount.formats.node import Entry, Node, StatFs


class View(Protocol):
    """One way to present an image (Rock Ridge, Joliet, UDF ...). It keeps no nodes.

    An inode number is an address, from which alone the node can be created again. Numbers are
    greater than 1; the root is ``root`` whatever its address. Every method takes the reader to use:
    one that reads only from memory (and raises NotResidentError instead of blocking), or one that
    blocks, in a worker thread.

    Damage raises DamagedDataError, an invalid inode number StaleNodeError.
    """

    @property
    def name(self) -> str:
        """The view's name for display: "Rock Ridge", "Joliet", "ISO 9660", "UDF 2.50"..."""

    @property
    def label(self) -> str:
        """The volume's name, "" if it has none."""

    @property
    def root(self) -> int:
        """The root directory's inode number."""

    @property
    def folds_case(self) -> bool:
        """Whether a failed lookup is repeated ignoring ASCII case and trailing dots."""

    @property
    def has_xattrs(self) -> bool:
        """Whether any node listed so far has extended attributes that a copy is to keep."""

    def node(self, reader: Reader, ino: int) -> Node:
        """The node with that number."""

    def parent(self, reader: Reader, ino: int) -> int:
        """The number of the parent of the directory ``ino``; the root's parent is the root."""

    def directory_size(self, reader: Reader, ino: int) -> int:
        """An upper limit for the number of bytes to parse when listing the directory."""

    def entries(self, reader: Reader, ino: int, position: int = 0) -> Iterator[Entry]:
        """The entries of a directory in disc order, without "." and "..", from ``position`` on."""

    def xattrs(self, reader: Reader, ino: int) -> dict[bytes, bytes]:
        """The extended attributes of a node; names include the namespace ("user.")."""

    def statfs(self) -> StatFs:
        """The volume's size."""
