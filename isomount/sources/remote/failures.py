"""What a server's refusal means. Its own words are not repeated: they have the address in them."""

import errno
import re

from isomount.errors import (
    ForbiddenImageError,
    ImageUnreadableError,
    MissingImageError,
)

_STATUS = re.compile(r"status code: (\d{3})")
# Worth another try (RFC 9110, 15.5.9 and 15.6; RFC 6585, 4).
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})


class FetchError(Exception):
    """A range did not come. ``reason`` is for people; ``remedy`` too, if there is one."""

    def __init__(
        self, reason: str, remedy: str = "", *, code: int = errno.EIO, is_passing: bool = False
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.remedy = remedy
        self.code = code
        self.is_passing = is_passing


class ChangedError(FetchError):
    """The object is another one by now."""

    def __init__(self) -> None:
        super().__init__("is another file there by now")


def failure_of(error: Exception) -> FetchError:
    """What ``error``, which obstore raised, means."""
    words = str(error)
    status = int(found[1]) if (found := _STATUS.search(words)) else 0
    kind = type(error).__name__
    if isinstance(error, FileNotFoundError) or status in (404, 410):
        return FetchError("the server has no such file", "look at the address", code=errno.ENOENT)
    if status in (401, 403) or kind in ("PermissionDeniedError", "UnauthenticatedError"):
        return FetchError(
            "the server does not let you read it",
            "put user and password into ~/.netrc, or set the credentials of the store",
            code=errno.EACCES,
        )
    if kind == "PreconditionError":
        return ChangedError()
    if kind == "NotSupportedError":
        return FetchError(
            "the server has no ranges: it sends the whole file or nothing",
            "download it first, and name the file",
        )
    if status == 416:
        return FetchError("the file is empty, or shorter than the server said")
    if status:
        return FetchError(f"the server answers with status {status}", is_passing=status in _PASSING)
    return _of_connection(words)


def _of_connection(words: str) -> FetchError:
    if "UnexpectedRange" in words or "NoContentRange" in words:
        return FetchError("the server sent another range than was asked for")
    if "ertificate" in words:
        return FetchError(
            "the server's certificate is not to be trusted",
            "name the file of the authority's certificate in SSL_CERT_FILE",
        )
    if "kind: Timeout" in words or "TimedOut" in words:
        return FetchError("the server does not answer in time", is_passing=True)
    if "dns error" in words or "DnsError" in words or "lookup address" in words:
        return FetchError("there is no server of that name", "look at the address", is_passing=True)
    if "kind: Connect" in words:
        return FetchError("the server cannot be reached", is_passing=True)
    if "kind: Interrupted" in words or "HttpError" in words or "Http(" in words:
        return FetchError("the connection broke off", is_passing=True)
    return FetchError("the server cannot be understood", "look at the address")


def sentence(name: str, failure: FetchError) -> ImageUnreadableError:
    """The error for an image that cannot be opened because of ``failure``."""
    remedy = failure.remedy or ("try again later" if failure.is_passing else "")
    reason = f"{failure.reason}; {remedy}" if remedy else failure.reason
    if failure.code == errno.ENOENT:
        return MissingImageError(failure.code, name, reason)
    if failure.code == errno.EACCES:
        return ForbiddenImageError(failure.code, name, reason)
    return ImageUnreadableError(f"{name}: {reason}")
