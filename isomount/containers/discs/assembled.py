"""What a binary descriptor says of a disc, put in order and held against the files."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from isomount.containers.discs import cdtext
from isomount.containers.discs.cdtext import Texts
from isomount.containers.discs.disc import Disc, Mode, Run, Track
from isomount.errors import DamagedImageError
from isomount.sources import Source

_Listed = TypeVar("_Listed")
# A CD has up to 99 tracks, a DVD a few more.
_TRACKS_AT_MOST = 255
# What may be stored of a sector, and of the subchannel behind it.
_SIZES = (2048, 2056, 2324, 2332, 2336, 2352)
_SUBCHANNELS = (0, 96, 16)
# The flags of a track by the bits of its control field (ECMA-130 22.3.1).
_FLAGS = {1: "PRE", 2: "DCP", 8: "4CH"}
IS_DATA = 4
# A pack of CD-Text; a drive's answer has a header before them.
_PACK, _PACKS_HEADER = 18, 4


def flags(control: int) -> frozenset[str]:
    """The words for the bits of a track's control field."""
    return frozenset(word for bit, word in _FLAGS.items() if control & bit)


def size_in(stride: int) -> int | None:
    """What is stored of a sector where ``stride`` bytes are with its subchannel."""
    sizes = (stride - subchannel for subchannel in _SUBCHANNELS)
    return next((size for size in sizes if size in _SIZES), None)


def known_size(name: str, stride: int) -> int:
    """As ``size_in``. Raises DamagedImageError if no disc has such sectors."""
    size = size_in(stride)
    if size is None:
        raise DamagedImageError(
            f"{name}: lists a track with sectors of {stride} bytes, which no disc has; "
            "copy it again"
        )
    return size


def isrc(field: bytes) -> str:
    """The recording code in ``field``, "" if it holds none."""
    text = field.decode("ascii", "replace").strip("\0 ").upper()
    return text if len(text) == 12 and text.isascii() and text.isalnum() else ""


def catalog(field: bytes) -> str:
    """The media catalogue number in ``field``, "" if it holds none."""
    text = field.decode("ascii", "replace").strip("\0 ")
    return text if len(text) == 13 and text.isdecimal() and text.strip("0") else ""


def texts(packs: bytes) -> Texts:
    """The CD-Text in ``packs``, by track and name."""
    if len(packs) % _PACK == _PACKS_HEADER:
        packs = packs[_PACKS_HEADER:]
    return cdtext.texts(packs[at : at + _PACK] for at in range(0, len(packs), _PACK))


def limited(name: str, listed: Iterable[_Listed]) -> list[_Listed]:
    """All tracks that the file ``name`` lists. Raises DamagedImageError if no disc has so many."""
    tracks: list[_Listed] = []
    for each in listed:
        tracks.append(each)
        if len(tracks) > _TRACKS_AT_MOST:
            raise DamagedImageError(
                f"{name}: lists more than {_TRACKS_AT_MOST} tracks, so it is damaged; copy it again"
            )
    return tracks


def assemble(
    kind: str,
    file: Source,
    tracks: Sequence[Track],
    runs: Iterable[Run],
    *,
    number: str = "",
    said: Texts | None = None,
    files: Iterable[Source] = (),
) -> Disc:
    """The disc that ``file`` describes, with ``number`` as its catalogue number, ``said`` as texts.

    Of ``runs`` what is in their files remains. Raises DamagedImageError if that is nothing.
    """
    if not tracks:
        raise DamagedImageError(f"{file.name}: lists no track, so it is damaged; copy it again")
    runs = list(runs)
    stored = tuple(_apart(filter(None, map(_stored, runs))))
    missing = [run for run in runs if run.mode is not Mode.AUDIO]
    if missing and not any(run.mode is not Mode.AUDIO for run in stored):
        first = missing[0]
        raise DamagedImageError(
            f"{file.name}: its data would begin at byte {first.offset} of {first.file.name}, "
            f"which is {first.file.size} bytes long; copy that again"
        )
    said = said or {}
    told = tuple(_with_texts(track, said.get(track.number)) for track in tracks)
    return Disc(kind, told, stored, number, dict(said.get(0, {})), (*files, file))


def _with_texts(track: Track, said: Mapping[str, str] | None) -> Track:
    return replace(track, texts=dict(said)) if said else track


def _stored(run: Run) -> Run | None:
    """What of ``run`` is in its file and not before LBA 0, where no program can read."""
    before = max(0, -run.lba)
    start = run.offset + before * run.stride
    held = -(-(run.file.size - start) // run.stride)
    count = min(run.sectors - before, held)
    if run.offset < 0 or count <= 0:
        return None
    return run._replace(lba=run.lba + before, sectors=count, offset=start)


def _apart(runs: Iterable[Run]) -> Iterator[Run]:
    """In ascending order; where two overlap, the later one holds."""
    last: Run | None = None
    for run in sorted(runs, key=lambda run: run.lba):
        if last is not None and last.lba < run.lba:
            yield last._replace(sectors=min(last.sectors, run.lba - last.lba))
        last = run
    if last is not None:
        yield last
