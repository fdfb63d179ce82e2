"""What the endings of names say: which belong to images, and which to what images are stored in."""

import os
import re

# Of sheets, the best first where several describe one disc.
SHEETS = (".gdi", ".cue", ".ccd", ".mds", ".toc", ".b5t", ".b6t")
# Of files that hold a disc or a part of one: beside a sheet they are its data, alone images.
DATA = (".bin", ".img", ".mdf", ".iso", ".raw", ".b5i", ".b6i")
_SOUND = (".wav", ".aiff", ".flac", ".ape", ".mp3", ".ogg", ".wv")
# Of those that nobody keeps beside a sheet but as its data.
SURELY_DATA = (".bin", ".raw", ".mdf", ".sub", ".b5i", ".b6i", *_SOUND)
# Of all else that holds a disc.
_OTHERS = (
    *(".udf", ".cdr", ".toast", ".dvd", ".nrg", ".cdi", ".pdi", ".c2d", ".cif", ".mdx"),
    *(".cso", ".ciso", ".zso", ".jso", ".dax", ".isz", ".daa", ".gbi", ".uif", ".chd", ".dmg"),
    *(".e01", ".ex01", ".vhd", ".vmdk", ".qcow2"),
)
IMAGES = (*SHEETS, *DATA, *_OTHERS)
COMPRESSED = (
    *(".gz", ".bgz", ".z", ".bz2", ".xz", ".lzma", ".lz", ".zst", ".zstd", ".lz4", ".ecm"),
)
ARCHIVES = (
    *(".zip", ".7z", ".rar", ".tar", ".cab", ".lha", ".lzh"),
    *(".tgz", ".tbz", ".tbz2", ".txz", ".tzst"),
)
# Of a piece of a split file: .001, .part1, .i00, .z01, .r00, .aa.
PIECE = re.compile(r"\.(\d{3}|part\d{1,3}|[izr]\d\d|[a-z]{2}|[A-Z]{2})$", re.IGNORECASE)
_LETTERS = re.compile(r"\.[a-z]{2}$", re.IGNORECASE)


def is_data(name: str) -> bool:
    """Whether a file called ``name`` may be the data of a sheet beside it."""
    return uncompressed(name).lower().endswith((*DATA, *SURELY_DATA))


def uncompressed(name: str) -> str:
    """``name`` without the endings of compressed files and of pieces."""
    return _unwrapped(name, COMPRESSED)


def is_image(name: str) -> bool:
    """Whether ``name`` is that of an image, compressed or in pieces perhaps, or of an archive."""
    return uncompressed(name).lower().endswith((*IMAGES, *ARCHIVES))


def unwrapped(name: str) -> str:
    """``name`` without the endings of what an image may be stored in."""
    return _unwrapped(name, (*COMPRESSED, *ARCHIVES))


def stem(name: str) -> str:
    """What to call the content of the image ``name``: "disc" for "d/disc.iso.gz"; "" for "".

    Without all endings that say what it is stored in and what it is; without its only ending where
    none of them is known. The same as its base name where it has no ending.
    """
    base = os.path.basename(name.rstrip("/"))
    bare = unwrapped(base)
    short, ending = os.path.splitext(bare)
    if ending and (bare == base or ending.lower() in IMAGES):
        return _unwrapped(short, ()) if ending.lower() in IMAGES else short
    return bare


def _unwrapped(name: str, endings: tuple[str, ...]) -> str:
    """``name`` without these endings, and those of pieces."""
    while True:
        short, ending = os.path.splitext(name)
        if not ending or not (ending.lower() in endings or _is_piece(short, ending)):
            return name
        name = short


def _is_piece(short: str, ending: str) -> bool:
    """Whether ``ending`` is a piece's. Two letters may mean anything, but behind an image's."""
    if PIECE.fullmatch(ending) is None:
        return False
    is_sure = _LETTERS.fullmatch(ending) is None
    return is_sure or short.lower().endswith((*IMAGES, *COMPRESSED, *ARCHIVES))
