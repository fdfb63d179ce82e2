"""Access to the mount, and what counts as use of it."""

from dataclasses import dataclass

from isomount.fs.patience import WAITING


@dataclass(frozen=True, slots=True)
class Policy:
    """How requests are treated, apart from what they mean.

    ``only_for`` are the users with access, None for all that the kernel lets through. With
    ``sees_visits``, each opening of a directory is a request, although the kernel could answer it
    from its cache. Without ``xattrs``, the first request for extended attributes is answered with
    ENOSYS, after which the kernel sends no more. ``waiting`` is how many requests may wait for the
    image at the same time.
    """

    only_for: frozenset[int] | None = None
    sees_visits: bool = False
    xattrs: bool = False
    waiting: int = WAITING

    def lets_in(self, uid: int) -> bool:
        """Whether that user has access."""
        return self.only_for is None or uid in self.only_for

    @property
    def kernel_may_open_directories(self) -> bool:
        """Whether the kernel may open directories without a request (FUSE_NO_OPENDIR_SUPPORT)."""
        return not self.sees_visits and self.only_for is None
