"""Two sessions by genisoimage, put together as a disc, a burner or a dump leaves them."""

from pathlib import Path

from tests.authoring import genisoimage, write_tree
from tests.formats.iso_builder import SECTOR


class Sessions:
    """Each in a file of its own; the second starts at sector ``start``."""

    def __init__(self, folder: Path, options: tuple[str, ...], start: int = 448) -> None:
        self.start = start
        self.folder = folder
        first = write_tree(folder / "1", {"kept": b"from the first", "changed": b"old"})
        second = write_tree(folder / "2", {"new": b"2", "changed": b"changed"})
        self.first = genisoimage(folder / "first.iso", first, *options)
        position = ("-C", f"0,{start}", "-M", str(self.first))
        self.second = genisoimage(folder / "second.iso", second, *options, *position)

    def joined(self) -> Path:
        """As they are on a disc."""
        return self._put(self.first.read_bytes())

    def grown(self) -> Path:
        """As growisofs leaves a DVD: the disc's start leads to the last session."""
        front, newest = bytearray(self.first.read_bytes()), self.second.read_bytes()
        end = newest.index(b"\xffCD001")
        front[16 * SECTOR : end] = newest[16 * SECTOR : end]
        return self._put(bytes(front))

    def blank(self) -> Path:
        """The second at its place, nothing before it."""
        return self._put(b"")

    def _put(self, front: bytes) -> Path:
        image = self.folder / "image.iso"
        image.write_bytes(front.ljust(self.start * SECTOR, b"\0") + self.second.read_bytes())
        return image
