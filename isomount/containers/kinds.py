"""The kinds of containers, and what gives each away."""

import re
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from isomount.containers.base import Archive, Surroundings
from isomount.containers.names import unwrapped
from isomount.sources import Source

if TYPE_CHECKING:
    from isomount.containers.discs.disc import Disc

# The bytes at either end of a file in which marks are looked for.
HEAD, TAIL = 4096, 512


class Kind(NamedTuple):
    """A kind of container, unpacked by the function ``unpack`` of ``module``.

    ``marks`` are bytes and where they are, counted from the end where that is negative. ``text``
    matches the beginning of a sheet, which is text, after NULs were taken out (UTF-16): a pattern
    that is compiled when it is used, as plain images do without. ``endings`` are those of names, in
    lower case, where the bytes say nothing.
    """

    module: str
    marks: tuple[tuple[int, bytes], ...] = ()
    text: bytes | None = None
    endings: tuple[str, ...] = ()

    def unpack(self, file: Source, surroundings: Surroundings) -> "Source | Archive | Disc":
        """What is in ``file``, which is open and stays so until the result is closed.

        Raises OtherKindError, and NotAnImageError, DamagedImageError or ImageUnreadableError with
        a sentence about it.
        """
        module: Any = import_module(f"isomount.containers.{self.module}")
        found: Source | Archive | Disc = module.unpack(file, surroundings)
        return found

    def is_at_end(self, tail: bytes) -> bool:
        """Whether the last bytes of a file are those of this kind."""
        return any(at < 0 and tail[at:][: len(mark)] == mark for at, mark in self.marks)

    def is_at_start(self, head: bytes, name: str) -> bool:
        """Whether a file that begins with ``head``, or its name, is of this kind."""
        if any(at >= 0 and head.startswith(mark, at) for at, mark in self.marks):
            return True
        if self.text is not None and re.search(self.text, head.replace(b"\0", b"")):
            return True
        return name.lower().endswith(self.endings) or unwrapped(name).lower().endswith(self.endings)


_C2D = (b"Adaptec CeQuadrat VirtualCD File", b"Roxio Image File Format 3.0")
# What a sheet begins with: a mark of UTF-8 or, after NULs were taken out, of UTF-16 and UTF-32.
_MARK = rb"\A(?:\xef\xbb\xbf|\xff\xfe|\xfe\xff)*"
_CUE = (
    b"(?is)" + _MARK + rb"(?=\s*(?:REM|CATALOG|CDTEXTFILE|TITLE|PERFORMER|SONGWRITER|FILE)\s)"
    rb"(?=(?:.*[\r\n])?[ \t]*FILE[ \t].*[\r\n][ \t]*TRACK[ \t]+[0-9])"
)
_TOC = (
    b"(?s)" + _MARK + rb"(?>\s|//[^\r\n]*+)*+(?:CD_DA|CD_ROM|CD_ROM_XA|CD_I|CATALOG|TRACK)\b"
    rb"(?=.*\bTRACK\s+(?:AUDIO|MODE[12])|\s+CD_TEXT\b|\s+(?:AUDIO|MODE[12]))"
)
_CCD = b"(?i)" + _MARK + rb"\s*\[CloneCD\]"
# The number of tracks, then number, LBA, control, sector size and file of the first.
_GDI = _MARK + rb"\s*[0-9]{1,2}\s*[\r\n]\s*1\s+[0-9]+\s+[04]\s+[0-9]{4}\s+\S"

# The last one is GBI with its bits turned over, which some files of PowerISO begin with.
_DAA = tuple(
    (0, mark) for mark in (b"DAA\0", b"DAA VOL\0", b"GBI\0", b"GBI VOL\0", b"\xb8\xbd\xb6\0")
)

# Lists of a disc's tracks, text or not; some of them hold the sectors too.
_DISCS = (
    Kind("discs.cue", text=_CUE, endings=(".cue",)),
    Kind("discs.toc", text=_TOC, endings=(".toc",)),
    Kind("discs.ccd", text=_CCD, endings=(".ccd",)),
    Kind("discs.gdi", text=_GDI, endings=(".gdi",)),
    Kind("discs.nrg", marks=((-12, b"NER5"), (-8, b"NERO"))),
    Kind("discs.cdi", marks=tuple((-8, bytes([minor, 0, 0, 0x80])) for minor in (4, 5, 6))),
    Kind("discs.mds", marks=((0, b"MEDIA DESCRIPTOR"),)),
    Kind("discs.blindwrite", marks=((0, b"BWT5 STREAM SIGN"), (0, b"BLINDWRITE TOC FILE"))),
    Kind("discs.pdi", marks=((0, b"TTAFMPVOBCDIMG"),)),
    Kind("discs.c2d", marks=tuple((0, mark) for mark in _C2D)),
)
_PACKED = (
    Kind("packed.cso", marks=((0, b"CISO"), (0, b"ZISO"))),
    Kind("packed.dax", marks=((0, b"DAX\0"),)),
    Kind("packed.jso", marks=((0, b"JISO"),)),
    Kind("packed.isz", marks=((0, b"IsZ!"),)),
    Kind("packed.daa", marks=_DAA),
    Kind("packed.uif", marks=((-64, b"bbis"),)),
    Kind("packed.ecm", marks=((0, b"ECM\0"),)),
    Kind("packed.dmg", marks=((-512, b"koly"), (0, b"koly"))),
    Kind("packed.chd", marks=((0, b"MComprHD"),)),
    Kind(
        "packed.ewf",
        marks=(
            (0, b"EVF\t\r\n\xff\0"),
            (0, b"EVF2\r\n\x81\0"),
            (0, b"LVF\t\r\n\xff\0"),
            (0, b"LEF2\r\n\x81\0"),
        ),
    ),
    # A zip archive with a certain member: before any other zip.
    Kind("packed.aff4", marks=((0, b"PK\3\4"),)),
)
_STREAMS = (
    Kind("streams.gzip", marks=((0, b"\x1f\x8b\x08"),)),
    Kind("streams.bzip2", marks=((0, b"BZh"),)),
    Kind("streams.xz", marks=((0, b"\xfd7zXZ\0"),)),
    Kind("streams.lzma_alone", marks=((0, b"\x5d\0\0"),)),
    Kind("streams.lz4", marks=((0, b"\x04\x22\x4d\x18"), (0, b"\x02\x21\x4c\x18"))),
    # Skippable frames, which may come first, have any of 16 marks.
    Kind(
        "streams.zstd",
        marks=(
            (0, b"\x28\xb5\x2f\xfd"),
            *((0, bytes([0x50 + number]) + b"\x2a\x4d\x18") for number in range(16)),
        ),
    ),
)
_ARCHIVES = (
    # At its end too: programs that unpack themselves, and the last of several parts.
    Kind(
        "archives.zip",
        marks=((0, b"PK\3\4"), (0, b"PK\5\6"), (0, b"PK\7\x08"), (-22, b"PK\5\6")),
    ),
    Kind(
        "archives.libarchive",
        marks=((0, b"7z\xbc\xaf\x27\x1c"), (0, b"Rar!\x1a\7"), (0, b"MSCF\0\0\0\0")),
    ),
    Kind("archives.tar", marks=((257, b"ustar"),)),
)
# In the order in which they are tried.
KINDS: tuple[Kind, ...] = (*_DISCS, *_PACKED, *_STREAMS, *_ARCHIVES)

# Sectors of a CD without a sheet: what is left to look for in what is of no other kind.
BARE = Kind("discs.bare")
