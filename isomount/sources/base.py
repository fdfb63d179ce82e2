"""The contract of a source."""

from typing import Protocol


class Source(Protocol):
    """Random access to the bytes of one image. Thread-safe."""

    @property
    def name(self) -> str:
        """What to call the image in messages."""

    @property
    def size(self) -> int:
        """The number of bytes, fixed when the source was opened."""

    def read_at(self, offset: int, length: int) -> bytes:
        """The bytes of that range; short only at the end. Raises OSError when it cannot be read."""

    def read_resident(self, offset: int, length: int) -> bytes | memoryview | None:
        """As ``read_at``, but None wherever that would have to wait. Never waits.

        For one thread alone: the next call may overwrite what this one returned.
        """

    def close(self) -> None:
        """Give the underlying file back."""
