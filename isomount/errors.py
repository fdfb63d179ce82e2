"""What can go wrong, each with the sentence for people and the exit code for scripts.

Every error names the thing, the reason and the remedy in its message. Errors that a running mount
can meet carry an ``errno`` as well: the file system layer hands that number to the kernel.
"""

import errno as _errno


class IsomountError(Exception):
    """Any failure that isomount itself reports. ``exit_code`` is what the command returns."""

    exit_code = 1
    errno = _errno.EIO


class UsageError(IsomountError):
    """The command line or an option is wrong."""

    exit_code = 2
    errno = _errno.EINVAL


class MountPointError(IsomountError):
    """The mount point cannot be used: a file, not empty, already mounted on, dead, not writable."""

    exit_code = 10


class ImageUnreadableError(IsomountError):
    """The image cannot be opened or read: missing, not permitted, a folder, no disc."""

    exit_code = 11


class FuseUnavailableError(IsomountError):
    """FUSE cannot be used here: no /dev/fuse, no fusermount3, or not allowed."""

    exit_code = 12


class NoFileManagerError(IsomountError):
    """There is nothing to show it with: no display, or no file manager."""

    exit_code = 13


class NotMountedError(IsomountError):
    """Nothing of isomount is mounted there."""

    exit_code = 20


class NotAnImageError(IsomountError):
    """The bytes are no disc image that isomount knows."""

    exit_code = 30


class DamagedImageError(IsomountError):
    """The image is a known one but too damaged to show anything of it."""

    exit_code = 31


class DifferenceError(IsomountError):
    """Verification found a difference."""

    exit_code = 40


class DamagedDataError(IsomountError):
    """One file, directory or range of the image cannot be read (EIO for just that)."""


class StaleNodeError(IsomountError):
    """An inode number that does not lead to a node of this image (ESTALE)."""

    errno = _errno.ESTALE
