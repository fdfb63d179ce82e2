"""File identifiers as shown: those of ISO 9660 mapped, those of Joliet decoded."""

from isomount.formats.charset import lowered
from isomount.formats.options import Map

_TO_DOT = bytes.maketrans(b";/", b"..")
_ARCHIMEDES_SIZE = 32


def normal_name(identifier: bytes) -> bytes:
    """``map=normal``: lower case, without ";1" and an empty extension, ";" and "/" as dots."""
    if identifier.endswith(b";1"):
        identifier = identifier[:-2].removesuffix(b".")
    return lowered(identifier.partition(b"\0")[0].translate(_TO_DOT))


def acorn_name(identifier: bytes, system_use: bytes, is_directory: bool) -> bytes:
    """``map=acorn``: as normal, with the "!" and the file type from the ARCHIMEDES field.

    The field is the whole system use area, 32 bytes: "ARCHIMEDES", load address (4 bytes,
    little-endian, a file type in bits 8 to 19 when the top 12 bits are set), execution address,
    attributes (bit 8 of them: the name begins with "!" instead of "_").
    """
    name = normal_name(identifier)
    if len(system_use) != _ARCHIMEDES_SIZE or not system_use.startswith(b"ARCHIMEDES"):
        return name
    load = int.from_bytes(system_use[10:14], "little")
    if name.startswith(b"_") and system_use[19] & 1:
        name = b"!" + name[1:]
    if load >> 20 == 0xFFF and not is_directory:
        name += b",%03x" % (load >> 8 & 0xFFF)
    return name


def iso_name(identifier: bytes, system_use: bytes, is_directory: bool, mapping: Map) -> bytes:
    """A file or directory identifier (ECMA-119 7.5, 7.6), mapped by ``mapping``."""
    if mapping is Map.NORMAL:
        return normal_name(identifier)
    if mapping is Map.ACORN:
        return acorn_name(identifier, system_use, is_directory)
    return identifier.partition(b"\0")[0]


def joliet_name(identifier: bytes, charset: str) -> bytes:
    """A Joliet identifier: big-endian UCS-2 or UTF-16, without ";1" and trailing dots.

    As in Linux, they are kept if the name would be empty without them. Lone surrogates are left
    out; characters that ``charset`` lacks become "?".
    """
    text = identifier[: len(identifier) & ~1].decode("utf-16-be", "ignore")
    text = text.partition("\0")[0]
    if len(text) > len(";1"):
        text = text.removesuffix(";1")
    text = text[:1] + text[1:].rstrip(".")
    return text.encode(charset, "replace")
