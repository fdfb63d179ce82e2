"""Stores of objects: web servers, and buckets at S3, Google and Azure."""

import base64
import netrc
import os
from datetime import timedelta
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from isomount.errors import ImageUnreadableError
from isomount.sources.address import scheme_of, shown
from isomount.sources.remote.packages import package

_WEB = ("http", "https")


class Deadlines(NamedTuple):
    """In seconds: to connect, between two pieces of an answer, and for all of one answer."""

    connect: float = 5
    read: float = 10
    answer: float = 60


class Place(NamedTuple):
    """A store, and the path of an object in it."""

    store: Any
    path: str


def place_of(address: str, deadlines: Deadlines) -> Place:
    """Where ``address`` leads. Nothing is asked of a server yet. Raises ImageUnreadableError."""
    name = shown(address)
    stores = package("obstore.store", "remote", name)
    client: dict[str, Any] = {
        "connect_timeout": timedelta(seconds=deadlines.connect),
        "read_timeout": timedelta(seconds=deadlines.read),
        "timeout": timedelta(seconds=deadlines.answer),
        "allow_http": True,
        "user_agent": "isomount",
    }
    # What is to be tried again is decided by who reads, for answers that break off too.
    patience = {"max_retries": 0, "retry_timeout": timedelta(seconds=deadlines.answer)}
    try:
        if scheme_of(address) in _WEB:
            client |= _authorization(address)
            whole = address.partition("#")[0]
            return Place(
                stores.HTTPStore.from_url(whole, client_options=client, retry_config=patience), ""
            )
        bucket, path = _in_bucket(address)
        store = stores.from_url(bucket, client_options=client, retry_config=patience)
        return Place(store, path)
    except ImageUnreadableError:
        raise
    except Exception as error:  # an address that is none, settings that cannot be: many classes
        reason = str(error).partition("\n")[0].replace(address, name)
        raise ImageUnreadableError(f"{name}: is no address to read from: {reason}") from None


def _in_bucket(address: str) -> tuple[str, str]:
    scheme, _, rest = address.partition("://")
    bucket, _, path = rest.partition("/")
    if not (bucket and path):
        raise ImageUnreadableError(
            f"{shown(address)}: names no object; write: {scheme}://BUCKET/PATH/disc.iso"
        )
    return f"{scheme}://{bucket}", path  # of which each character means itself


def _authorization(address: str) -> dict[str, Any]:
    """A header with what netrc(5) knows of the host, if it knows it."""
    host = urlsplit(address).hostname or ""
    path = os.environ.get("NETRC") or os.path.expanduser("~/.netrc")
    try:
        found = netrc.netrc(path).authenticators(host)
    except (OSError, netrc.NetrcParseError, UnicodeDecodeError):
        return {}
    if found is None:
        return {}
    user, _, password = found
    words = base64.b64encode(f"{user}:{password}".encode()).decode()
    return {"default_headers": {"Authorization": f"Basic {words}"}}
