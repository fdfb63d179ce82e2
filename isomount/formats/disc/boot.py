"""El Torito boot catalogs (El Torito Bootable CD-ROM Format Specification 1.0)."""

from typing import NamedTuple

from isomount.blocks import Reader

_SECTOR = 2048
_FIRST_SECTOR, _LAST_SECTOR = 16, 99
_BOOT_RECORD = b"\0CD001\1EL TORITO SPECIFICATION"
_CATALOG_POINTER = 71
_ENTRY_SIZE = 32
# A catalog is one sector; a few more allow for hundreds of entries and bound what is read.
_CATALOG_SIZE = 4 * _SECTOR
_VALIDATION, _KEY = 0x01, b"\x55\xaa"
_MORE_SECTIONS, _LAST_SECTION = 0x90, 0x91
_EXTENSION = 0x44
_BOOTABLE = 0x88
_CONTINUED = 0x20

PLATFORMS = {0x00: "x86 BIOS", 0x01: "PowerPC", 0x02: "Mac", 0xEF: "UEFI"}
MEDIA = {
    0: "no emulation",
    1: "1.2 MB floppy",
    2: "1.44 MB floppy",
    3: "2.88 MB floppy",
    4: "hard disk",
}


class BootEntry(NamedTuple):
    """An initial or section entry (2.2, 2.4).

    ``sectors`` is how many sectors of 512 bytes the firmware loads; ``block`` is the 2048-byte
    block where the boot image starts. ``platform`` and ``media`` are the specification's codes.
    """

    platform: int
    bootable: bool
    media: int
    load_segment: int
    system_type: int
    sectors: int
    block: int

    @property
    def platform_name(self) -> str:
        """The firmware that it is for, for display."""
        return PLATFORMS.get(self.platform, f"platform {self.platform:#04x}")

    @property
    def media_name(self) -> str:
        """The kind of medium that the firmware emulates, for display."""
        return MEDIA.get(self.media, f"media type {self.media}")


class BootCatalog(NamedTuple):
    """The boot catalog at block ``block``.

    ``is_sound`` is whether the checksum and key of the validation entry (2.1) are correct.
    """

    block: int
    identifier: str
    is_sound: bool
    entries: tuple[BootEntry, ...]


def read_catalog(reader: Reader, session: int = 0) -> BootCatalog | None:
    """The boot catalog of the session that starts at 2048-byte sector ``session``.

    None without a boot record. Raises OSError or DamagedDataError if it cannot be read.
    """
    for sector in range(session + _FIRST_SECTOR, session + _LAST_SECTOR + 1):
        record = reader.read(sector * _SECTOR, _SECTOR)
        if record.startswith(_BOOT_RECORD):
            pointer = record[_CATALOG_POINTER : _CATALOG_POINTER + 4]
            block = int.from_bytes(pointer, "little")
            return parse_catalog(block, reader.read(block * _SECTOR, _CATALOG_SIZE))
        if record[1:6] != b"CD001" or record[0] == 255:
            return None
    return None


def parse_catalog(block: int, data: bytes) -> BootCatalog:
    """Parse the catalog in ``data``, which was read from ``block``; it may be truncated."""
    validation = data[:_ENTRY_SIZE]
    words = [int.from_bytes(validation[at : at + 2], "little") for at in range(0, _ENTRY_SIZE, 2)]
    is_sound = (
        len(validation) == _ENTRY_SIZE
        and validation[0] == _VALIDATION
        and validation[30:32] == _KEY
        and sum(words) & 0xFFFF == 0
    )
    identifier = validation[4:28].partition(b"\0")[0].decode("latin-1").strip()
    entries: tuple[BootEntry, ...] = ()
    # Without it the data is no catalog: pointers into file data are a common fault.
    if len(validation) == _ENTRY_SIZE and validation[0] == _VALIDATION:
        entries = tuple(_entries(validation[1], data[_ENTRY_SIZE:]))
    return BootCatalog(block, identifier, is_sound, entries)


def _entries(platform: int, data: bytes) -> list[BootEntry]:
    """The initial entry, for the validation entry's platform, and the entries of all sections."""
    pieces = [
        data[at : at + _ENTRY_SIZE] for at in range(0, len(data) - _ENTRY_SIZE + 1, _ENTRY_SIZE)
    ]
    if not pieces:
        return []
    found = [_entry(platform, pieces[0])]
    at = 1
    while at < len(pieces) and pieces[at][0] in (_MORE_SECTIONS, _LAST_SECTION):
        header = pieces[at]
        at += 1
        for _ in range(int.from_bytes(header[2:4], "little")):
            if at >= len(pieces):
                return found
            found.append(_entry(header[1], pieces[at]))
            at = _after_extensions(pieces, at)
        if header[0] == _LAST_SECTION:
            break
    return found


def _after_extensions(pieces: list[bytes], at: int) -> int:
    """The piece after the section entry ``at`` and the extensions that it announces (2.5)."""
    continued = pieces[at][1] & _CONTINUED
    at += 1
    while continued and at < len(pieces) and pieces[at][0] == _EXTENSION:
        continued = pieces[at][1] & _CONTINUED
        at += 1
    return at


def _entry(platform: int, piece: bytes) -> BootEntry:
    return BootEntry(
        platform=platform,
        bootable=piece[0] == _BOOTABLE,
        media=piece[1] & 0x0F,
        load_segment=int.from_bytes(piece[2:4], "little"),
        system_type=piece[4],
        sectors=int.from_bytes(piece[6:8], "little"),
        block=int.from_bytes(piece[8:12], "little"),
    )
