"""Files that are mistaken for disc images: what they are, and what to do with them instead.

They are recognised by their first bytes, for the error message only.
"""

import shlex

from isomount.blocks import Reader
from isomount.errors import IsomountError

# The sync field at the start of every raw CD sector (ECMA-130 14.1).
_SYNC = b"\x00" + b"\xff" * 10 + b"\x00"
_BEGINNINGS = {
    _SYNC: "holds raw CD sectors, not read so far; bchunk makes an .iso of it and its .cue",
    b"PK\x03\x04": "is a zip archive; unpack it with: unzip",
    b"\x1f\x8b": "is compressed; unpack it first with: gunzip",
    b"BZh": "is compressed; unpack it first with: bunzip2",
    b"\xfd7zXZ\x00": "is compressed; unpack it first with: unxz",
    b"\x28\xb5\x2f\xfd": "is compressed; unpack it first with: unzstd",
    b"7z\xbc\xaf\x27\x1c": "is a 7-Zip archive; unpack it with: 7z x",
    b"Rar!\x1a\x07": "is a RAR archive; unpack it with: unrar x",
}
_LOOKED_AT = 2048


def describe(reader: Reader, name: str) -> str:
    """What the file ``name`` is, as the rest of a sentence that begins with its name."""
    try:
        head = bytes(reader.read(0, min(_LOOKED_AT, reader.size)))
    except (IsomountError, OSError):
        head = b""
    for beginning, what in _BEGINNINGS.items():
        if head.startswith(beginning):
            return what
    if b"FILE " in head and b"TRACK " in head:
        return "is a cue sheet, the list of a disc's tracks; name the image file that it names"
    told = f"file -s {shlex.quote(name)}"  # -s: for a drive, describe the disc in it
    return f"is not a disc image that isomount knows; what it is may be told by: {told}"
