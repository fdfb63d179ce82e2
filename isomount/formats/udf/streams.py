"""Named streams and extended attributes of UDF as extended attributes of Linux.

A named stream NAME (UDF 3.3.5) is ``user.NAME``. An extended attribute of type N (ECMA-167
4/14.10) is ``user.udf.N``, or ``user.udf.N.ID`` if it has an implementation or application
identifier.
"""

from collections.abc import Iterator

from isomount.blocks import Reader
from isomount.damage import Damage
from isomount.errors import DamagedDataError
from isomount.formats.udf.attributes import attributes
from isomount.formats.udf.directory import DELETED, PARENT, open_directory
from isomount.formats.udf.icb import Icb, content_of, read_icb
from isomount.formats.udf.inode import whole
from isomount.formats.udf.osta import file_name
from isomount.formats.udf.space import Space
from isomount.formats.udf.structures import LONG_AD
from isomount.formats.xattrs import VALUE_MAX, possible

_LENGTH_MASK = (1 << 30) - 1


def extended_attributes(
    reader: Reader, space: Space, icb: Icb, charset: str, damage: Damage
) -> dict[bytes, bytes]:
    """Name and value of all streams and extended attributes of the file of ``icb``.

    Those that cannot be read, or are longer than Linux allows, are noted and left out.
    """
    found = _everything(reader, space, icb, charset, damage)
    return possible(found, icb.offset, damage)


def _everything(
    reader: Reader, space: Space, icb: Icb, charset: str, damage: Damage
) -> Iterator[tuple[bytes, bytes]]:
    yield from _attributes(icb.attributes)
    try:
        separate = _linked(reader, space, icb.entry.attribute_icb)
        if separate is not None:
            yield from _attributes(_value(reader, space, separate))
        directory = _linked(reader, space, icb.entry.stream_icb)
        if directory is not None:
            yield from _streams(reader, space, directory, charset, damage)
    except DamagedDataError as error:
        damage.note(icb.offset, f"extended attributes: {error}")


def _attributes(attribute_space: bytes) -> Iterator[tuple[bytes, bytes]]:
    for attribute in attributes(attribute_space):
        name = b"user.udf.%d" % attribute.type
        if attribute.identifier:
            name += b"." + attribute.identifier
        yield name, attribute.value


def _streams(
    reader: Reader, space: Space, directory: Icb, charset: str, damage: Damage
) -> Iterator[tuple[bytes, bytes]]:
    """The streams of a stream directory (4/9.2)."""
    for found in open_directory(reader, space, directory).identifiers():
        name = file_name(found.identifier, charset)
        if name is None or found.characteristics & (PARENT | DELETED):
            continue
        try:
            offset, _ = space.locate(reader, found.icb_partition, found.icb_block)
            stream = read_icb(reader, space, found.icb_partition, offset)
            yield b"user." + name, _value(reader, space, stream)
        except DamagedDataError as error:
            damage.note(directory.offset, f"a named stream cannot be shown: {error}")


def _linked(reader: Reader, space: Space, address: bytes) -> Icb | None:
    """The ICB that a long allocation descriptor in a file entry points to, None if it is empty."""
    if not address:
        return None
    link = LONG_AD.parse(address)
    if link.length & _LENGTH_MASK == 0:
        return None
    offset, _ = space.locate(reader, link.partition, link.block)
    return read_icb(reader, space, link.partition, offset)


def _value(reader: Reader, space: Space, icb: Icb) -> bytes:
    content = content_of(reader, space, icb)
    if content.size > VALUE_MAX:
        raise DamagedDataError(f"{content.size} bytes are more than an extended attribute holds")
    return whole(reader, content)
