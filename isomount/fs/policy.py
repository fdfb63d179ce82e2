"""Who may ask, and what counts as use of the mount."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Policy:
    """How requests are treated, apart from what they mean.

    ``only_for`` are the users who may ask, None for whomever the kernel lets through. With
    ``sees_visits`` opening a directory again is a request again, although the kernel could answer
    it from its cache. Without ``xattrs`` the kernel is told once that there are none.
    """

    only_for: frozenset[int] | None = None
    sees_visits: bool = False
    xattrs: bool = False

    def lets_in(self, uid: int) -> bool:
        """Whether that user may ask."""
        return self.only_for is None or uid in self.only_for

    @property
    def kernel_may_open_directories(self) -> bool:
        """Whether the kernel may be told to open directories by itself: nobody has to be seen."""
        return not self.sees_visits and self.only_for is None
