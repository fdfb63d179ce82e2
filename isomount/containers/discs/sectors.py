"""The sectors of a CD as they are stored: sync, header, subheader, user data (ECMA-130 14)."""

from typing import NamedTuple

from isomount.containers.discs.disc import SECTORS_A_SECOND, Mode

# User data of a sector, as file systems count it; of form 2; and all bytes of a sector.
SECTOR, FORM2, RAW = 2048, 2324, 2352
# What every sector of data begins with (ECMA-130 14.1).
SYNC = b"\0" + b"\xff" * 10 + b"\0"
# Sync, then minute, second, frame and mode; in mode 2 a subheader follows.
HEADER_AT, MODE_AT, SUBHEADER_AT = 12, 15, 16
HEADED = 16
_SUBHEADER = 8
# The address of LBA 0 is 00:02:00.
LEAD = 2 * SECTORS_A_SECOND
# Bytes from one sector to the next: with no subchannel, with that of Q, with all of it.
SUBCHANNELS = (0, 16, 96)
# Submode (the third byte of a subheader): the sector is of form 2.
SUBMODE_AT, FORM2_BIT = SUBHEADER_AT + 2, 0x20
# User data in a sector of which less than all is stored, by how much is.
DATA_AT = {2048: 0, 2056: 8, 2324: 0, 2332: 8, 2336: 8}
_MODES = {1: Mode.MODE1, 2: Mode.MODE2}
# In a sector with all its bytes.
RAW_DATA_AT = {Mode.MODE1: HEADED, Mode.MODE2: HEADED + _SUBHEADER}
# Where volume descriptors begin, counted from the start of a session, and what is in their first.
DESCRIPTOR, IDENTIFIERS = 16, (b"CD001", b"BEA01")


class Layout(NamedTuple):
    """How sectors are stored: ``size`` bytes of each, ``stride`` from one to the next.

    The user data is at ``data_at`` of each.
    """

    size: int
    stride: int
    data_at: int

    @property
    def used(self) -> int:
        """How many bytes of a sector have to be there for its user data to be there."""
        return self.data_at + SECTOR

    @property
    def has_form2(self) -> bool:
        """Whether the 2324 bytes of a form 2 sector are all there, behind the subheader."""
        return self.data_at != HEADED and self.size >= self.data_at + FORM2

    @property
    def has_edc(self) -> bool:
        """Whether the checksum is stored with the sectors."""
        return self.size in (2336, RAW)


class Header(NamedTuple):
    """What a raw sector says: where on the disc it is, and its mode; None for mode 0 (empty)."""

    lba: int
    mode: Mode | None


def header(sector: bytes) -> Header | None:
    """The header of a raw sector; None where there is none, or what there is makes no sense."""
    if len(sector) < HEADED or not sector.startswith(SYNC):
        return None
    minute, second, frame, mode = sector[HEADER_AT:HEADED]
    numbers = [_decimal(each) for each in (minute, second, frame)]
    if None in numbers or mode > 2:
        return None
    minutes, seconds, frames = (each or 0 for each in numbers)
    if seconds >= 60 or frames >= SECTORS_A_SECOND:
        return None
    lba = (minutes * 60 + seconds) * SECTORS_A_SECOND + frames - LEAD
    return Header(lba, _MODES.get(mode))


def _decimal(byte: int) -> int | None:
    """A number in BCD."""
    tens, ones = byte >> 4, byte & 0x0F
    return 10 * tens + ones if tens < 10 and ones < 10 else None


# What a drive scrambles the header of a sector with (ECMA-130 annex B).
_SCRAMBLED_WITH = bytes.fromhex("01800060")


def is_scrambled(sector: bytes) -> bool:
    """Whether a sector is as it comes from the disc: nothing but its sync makes sense."""
    if len(sector) < HEADED or not sector.startswith(SYNC) or header(sector) is not None:
        return False
    plain = bytes(a ^ b for a, b in zip(sector[HEADER_AT:], _SCRAMBLED_WITH, strict=False))
    return header(SYNC + plain) is not None
