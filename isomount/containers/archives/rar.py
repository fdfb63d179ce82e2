"""What of RAR is refused before libarchive is asked: several volumes, and encrypted headers.

Version 4 is known from unrar's technote.txt, version 5 from RARLAB's description of the format.
"""

import shlex
import struct

from isomount.errors import NotAnImageError
from isomount.sources import Source

RAR4, RAR5 = b"Rar!\x1a\7\0", b"Rar!\x1a\7\1\0"
# CRC, type, flags, size; of the archive header, which comes first.
_HEADER4 = struct.Struct("<HBHH")
_VOLUME4, _ENCRYPTED4 = 0x0001, 0x0080
_ENCRYPTION5, _EXTRA5, _VOLUME5 = 4, 0x0001, 0x0001
# A number of version 5 has 7 bits a byte, the lowest first, and at most this many bytes.
_NUMBER_AT_MOST = 10


def refuse_what_is_not_read(file: Source) -> None:
    """Raise NotAnImageError if ``file`` is a RAR archive that libarchive cannot read."""
    head = file.read_at(0, 64)
    is_encrypted, is_volume = False, False
    if head.startswith(RAR5):
        is_encrypted, is_volume = _version5(head[len(RAR5) + 4 :])  # after a CRC
    elif head.startswith(RAR4) and len(head) >= len(RAR4) + _HEADER4.size:
        flags = _HEADER4.unpack_from(head, len(RAR4))[2]
        is_encrypted, is_volume = bool(flags & _ENCRYPTED4), bool(flags & _VOLUME4)
    unrar = f"unrar x {shlex.quote(file.name)}"
    if is_encrypted:
        raise NotAnImageError(
            f"{file.name}: is encrypted; unpack it with its password first: {unrar}"
        )
    if is_volume:
        raise NotAnImageError(
            f"{file.name}: is a RAR archive in several files, which cannot be read as they are; "
            f"unpack the first of them: {unrar}"
        )


def _version5(header: bytes) -> tuple[bool, bool]:
    """Whether the first header is one of encryption, and whether it is that of a volume."""
    at = 0

    def number() -> int:
        nonlocal at
        value = 0
        for place, byte in enumerate(header[at : at + _NUMBER_AT_MOST]):
            value |= (byte & 0x7F) << 7 * place
            at += 1
            if byte < 0x80:
                break
        return value

    _, kind, flags = number(), number(), number()
    if kind == _ENCRYPTION5:
        return True, False
    if flags & _EXTRA5:
        number()
    return False, bool(number() & _VOLUME5)
