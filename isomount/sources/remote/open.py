"""Opening a source by its address."""

from isomount.errors import ImageUnreadableError
from isomount.sources.address import FILES, has_password, scheme_of, shown
from isomount.sources.base import Source
from isomount.sources.keeping import Keeping
from isomount.sources.remote.kept import Versioned, kept


def open_remote(address: str, keeping: Keeping) -> Source:
    """The source for what is at ``address``, of which is kept what ``keeping`` says.

    Raises ImageUnreadableError.
    """
    if has_password(address):
        raise ImageUnreadableError(
            f"{shown(address)}: has a password in its address, which every user here could read in "
            "the list of processes; put it into ~/.netrc, or use a key"
        )
    return kept(_opened(address), keeping)


def _opened(address: str) -> Versioned:
    if scheme_of(address) in FILES:
        from isomount.sources.remote.files import open_file

        return open_file(address)
    from isomount.sources.remote.objects import ObjectSource

    return ObjectSource(address)
