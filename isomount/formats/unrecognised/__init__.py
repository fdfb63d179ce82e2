"""Files that people take for disc images: what they are, and what to do with them instead.

Only looked at where no view of an image was found; a sentence is all that comes of it.
"""

import shlex
from collections.abc import Callable

from isomount.blocks import Reader
from isomount.errors import IsomountError
from isomount.formats.unrecognised.disks import whole_disk
from isomount.formats.unrecognised.downloads import part_of_a_download, split_file, too_short
from isomount.formats.unrecognised.signatures import CONTAINERS, SIGNATURES, first_of
from isomount.formats.unrecognised.sound import sound
from isomount.formats.unrecognised.texts import text
from isomount.text import one_line

# -s: of a drive the disc, not the drive
UNKNOWN = "is not a disc image that isomount knows; what it is may be told by: file -s {name}"
# What is said of the data tracks of a disc where nothing else is known.
NO_VOLUME = (
    "holds the sectors of a CD, but no file system that isomount knows; "
    "an emulator of the system that the disc is for may open it"
)


def describe(reader: Reader, name: str, unknown: str = UNKNOWN) -> str:
    """What the bytes called ``name`` are, as the end of a sentence that begins with the name.

    One printable line, whatever the bytes are; ``unknown`` where there is nothing to say.
    """
    # What is sure comes before what is likely.
    kinds: tuple[Callable[[], str | None], ...] = (
        lambda: first_of(SIGNATURES, reader),
        lambda: whole_disk(reader),
        lambda: text(reader),
        lambda: split_file(name),
        lambda: part_of_a_download(reader, name),
        lambda: too_short(reader),
        lambda: sound(reader),
    )
    words = next((words for kind in kinds if (words := _answer(kind))), unknown)
    return _told(words, name)


def container(reader: Reader, name: str) -> str | None:
    """As ``describe``, for what holds an image in a form of its own; None for all else.

    What looks like a damaged volume there is a part of the form.
    """
    words = _answer(lambda: first_of(CONTAINERS, reader))
    return None if words is None else _told(words, name)


def _answer(kind: Callable[[], str | None]) -> str | None:
    try:
        return kind()
    except (IsomountError, OSError):
        return None  # where it cannot be read it tells nothing


def _told(words: str, name: str) -> str:
    # A name that begins with "-" would be taken for an option.
    word = shlex.quote(f"./{name}" if name.startswith("-") else name)
    return one_line(words.replace("{name}", word))
