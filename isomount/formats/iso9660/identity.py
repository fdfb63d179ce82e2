"""The identifiers and dates of ISO 9660 volume descriptors (ECMA-119 8.4, 8.5)."""

from typing import NamedTuple

from isomount.blocks import Reader
from isomount.formats.identity import Identity
from isomount.formats.iso9660.dates import long_time
from isomount.formats.iso9660.descriptors import (
    SECTOR,
    VolumeDescriptor,
    read_descriptors,
    text,
)


class _Layout(NamedTuple):
    """The offsets of the fields: identifiers of 128 bytes, then file identifiers, then dates."""

    system: int
    identifiers: tuple[int, int, int, int]
    files: tuple[int, ...]
    file_size: int
    dates: tuple[int, int, int, int]
    date_size: int


_ECMA_119 = _Layout(8, (190, 318, 446, 574), (702, 739, 776), 37, (813, 830, 847, 864), 17)
# High Sierra has no bibliographic file identifier, and no time zone in its dates.
_HIGH_SIERRA = _Layout(16, (214, 342, 470, 598), (726, 758), 32, (790, 806, 822, 838), 16)


def identities(reader: Reader, session: int, charset: str = "utf-8") -> list[Identity]:
    """The identifiers in the descriptors of the session at sector ``session``, primary first.

    Their text is in ``charset``, but for Joliet's.
    """
    found = read_descriptors(reader, session)
    kinds = (
        (found.primary, "ISO 9660"),
        (found.joliet, "Joliet"),
        (found.enhanced, "ISO 9660:1999"),
    )
    return [
        _identity(
            "High Sierra" if descriptor.high_sierra else kind,
            descriptor,
            reader.read(descriptor.address, SECTOR),
            charset,
            session,
        )
        for descriptor, kind in kinds
        if descriptor is not None
    ]


def _volume_end(descriptor: VolumeDescriptor, session: int) -> int:
    """The logical block where the volume ends.

    Some writers count a later session's size from the disc's start, others from its own: then the
    root directory, in that session, lies beyond it.
    """
    size = descriptor.space_size
    if size <= descriptor.root.extent:
        size += session * SECTOR // descriptor.block_size
    return size


def _identity(
    structure: str, descriptor: VolumeDescriptor, data: bytes, charset: str, session: int
) -> Identity:
    layout = _HIGH_SIERRA if descriptor.high_sierra else _ECMA_119

    def said(at: int, size: int = 128) -> str:
        return text(data[at : at + size], "utf-16-be" if descriptor.is_joliet else charset)

    def time(at: int) -> int | None:
        # High Sierra's dates lack the time zone byte: assume GMT.
        return long_time((data[at : at + layout.date_size] + b"\0")[:17]) or None

    volume_set, publisher, preparer, application = map(said, layout.identifiers)
    files = [said(at, layout.file_size) for at in layout.files]
    created, modified, expires, effective = map(time, layout.dates)
    return Identity(
        structure=structure,
        label=descriptor.label_in(charset),
        size=_volume_end(descriptor, session) * descriptor.block_size,
        volume_set=volume_set,
        system=said(layout.system, 32),
        publisher=publisher,
        preparer=preparer,
        application=application,
        copyright_file=files[0],
        abstract_file=files[1],
        bibliography_file=files[2] if len(files) > 2 else "",
        created_ns=created,
        modified_ns=modified,
        expires_ns=expires,
        effective_ns=effective,
    )
