"""The state of one mount that requests share."""

from isomount.fs.handles import Handles, OpenDirectory, OpenFile
from isomount.fs.listings import Listings
from isomount.fs.policy import Policy
from isomount.fs.push import FirstOpens
from isomount.fs.use import Use
from isomount.tree import Volume

# The kernel's number of the root (FUSE_ROOT_ID).
_ROOT = 1


class Session:
    """The state of one mount, shared by pyfuse3's operations and the fast lane."""

    def __init__(self, volume: Volume, use: Use, policy: Policy) -> None:
        self.volume = volume
        self.use = use
        self.policy = policy
        self.files: Handles[OpenFile] = Handles()
        self.directories: Handles[OpenDirectory] = Handles()
        self.listings = Listings(volume)
        self.first_opens = FirstOpens()
        self.block_size = volume.statfs().block_size

    def from_kernel(self, number: int) -> int:
        """The volume's inode number for the kernel's."""
        return self.volume.root if number == _ROOT else number

    def to_kernel(self, ino: int) -> int:
        """The kernel's inode number for the volume's."""
        return _ROOT if ino == self.volume.root else ino
