"""Images in raw sectors without a sheet: the same files as in the plain image."""

import io
import json
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import isomount
from isomount.containers.discs.check import count_bad
from isomount.errors import IsomountError
from isomount.formats.options import Check
from isomount.survey import survey
from tests.authoring import genisoimage, run_tool, write_tree
from tests.command import run
from tests.containers import raw_sectors
from tests.formats.iso_builder import SECTOR, IsoImage, record

# Every size and subchannel that a file can have: mode, bytes a sector, bytes behind it.
SHAPES = [
    (mode, size, subchannel)
    for mode, size in ((1, 2352), (2, 2352), (2, 2336), (2, 2332), (2, 2056), (2, 2048))
    for subchannel in (0, 16, 96)
]
FILES: dict[str, bytes | str] = {
    "a.txt": b"hello\n",
    "empty": b"",
    "deep/er/data.bin": random.Random(1).randbytes(100_001),
    "link": "a.txt",
}


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("plain")
    tree = write_tree(folder / "tree", FILES)
    return genisoimage(folder / "x.iso", tree, "-R", "-J", "-V", "RAW").read_bytes()


@pytest.fixture(scope="module")
def dumps(plain: bytes) -> dict[tuple[int, int], bytes]:
    """The image in sectors of 2352 bytes, by mode and subchannel."""
    return {
        (mode, subchannel): raw_sectors.raw(plain, mode, 0, subchannel)
        for mode in (1, 2)
        for subchannel in (0, 16, 96)
    }


def contents(image: isomount.Image) -> dict[str, bytes]:
    """Every file of an image, by its path."""

    def below(folder: isomount.ImagePath) -> Iterator[tuple[str, bytes]]:
        for each in folder.iterdir():
            if each.is_dir():
                yield from below(each)
            elif not each.is_symlink():
                yield str(each), each.read_bytes()

    return dict(below(image.root))


def opened(data: bytes, **options: object) -> isomount.Image:
    return isomount.open(io.BytesIO(data), **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(("mode", "size", "subchannel"), SHAPES)
def test_every_shape(
    plain: bytes,
    dumps: dict[tuple[int, int], bytes],
    mode: int,
    size: int,
    subchannel: int,
) -> None:
    data = raw_sectors.cut(dumps[mode, subchannel], size, subchannel)
    with opened(data) as image, opened(plain) as right:
        assert contents(image) == contents(right)
        assert image.view == right.view == "Rock Ridge"
        assert (image.label, image.size, image.missing) == ("RAW", len(plain), 0)
        is_plain = (size, subchannel) == (2048, 0)
        assert (image.disc is None) == is_plain
    if not is_plain:
        later = bytes(150 * (size + subchannel)) + data
        with opened(later) as image, opened(plain) as right:
            assert contents(image) == contents(right)
            assert image.size == len(plain)


def test_what_comes_before_the_first_sector(
    plain: bytes, dumps: dict[tuple[int, int], bytes]
) -> None:
    data = dumps[2, 0]
    pregap = raw_sectors.raw(bytes(150 * SECTOR), 2, -150)
    for before in (bytes(150 * 2352), pregap, b"DUMP" * 33, b"\1" * 700_001):
        with opened(before + data) as image:
            assert image.size == len(plain)
            assert image.open("a.txt").read() == b"hello\n"
    # A dump as a file in a file system or an archive is not the image.
    tar = bytearray(before[:512] + data)
    tar[257:262] = b"ustar"
    with pytest.raises(isomount.NotAnImageError):
        opened(bytes(tar))


def test_the_last_sector_may_lack_its_subchannel(plain: bytes) -> None:
    data = raw_sectors.raw(plain, 1, 0, 96)
    with opened(data[:-96]) as image:
        assert image.missing == 0
    with opened(data[: -96 - 1000]) as image:
        assert image.missing == SECTOR


def test_a_later_session_stands_where_its_headers_say(tmp_path: Path) -> None:
    first = genisoimage(tmp_path / "1.iso", write_tree(tmp_path / "1", {"one": b"1"}), "-R")
    tree = write_tree(tmp_path / "2", {"two": b"2" * 700_000})
    start = 11700
    second = genisoimage(tmp_path / "2.iso", tree, "-R", "-C", f"0,{start}", "-M", str(first))
    dumps = [
        raw_sectors.raw(first.read_bytes()),
        raw_sectors.raw(second.read_bytes(), 1, start),
    ]
    with opened(b"".join(dumps)) as image:
        assert sorted(contents(image)) == ["one", "two"]
        assert str(image.session) == "session 2 of 2"
        assert survey(image).sessions == [0, start]
    with opened(b"".join(dumps), session=1) as image:
        assert sorted(contents(image)) == ["one"]
    with pytest.raises(isomount.UsageError, match="session=3: the image has 2 sessions"):
        opened(b"".join(dumps), session=3)
    with opened(dumps[1]) as image:  # what is in the first session is not there
        assert image.open("two").read() == b"2" * 700_000
        with pytest.raises(OSError, match="one"):
            image.open("one").read()


def test_audio_before_the_data_is_no_damage(tmp_path: Path) -> None:
    """A CD-Extra: sector 0, where a partition table would be, is in a track of audio."""
    start = 100 + 11400
    tree = write_tree(tmp_path / "tree", {"one": b"1"})
    image = genisoimage(tmp_path / "x.iso", tree, "-R", "-C", f"0,{start}")
    (tmp_path / "audio.bin").write_bytes(bytes(100 * 2352))
    (tmp_path / "data.bin").write_bytes(raw_sectors.raw(image.read_bytes(), 2, start))
    (tmp_path / "x.cue").write_text(
        'FILE "audio.bin" BINARY\n  TRACK 01 AUDIO\n    INDEX 01 00:00:00\n'
        'FILE "data.bin" BINARY\n  TRACK 02 MODE2/2352\n    INDEX 01 00:00:00\n'
    )
    with isomount.open(tmp_path / "x.cue") as disc:
        assert contents(disc) == {"one": b"1"}
        found = survey(disc)
        assert (found.damage, found.partitions) == ([], [])


# ---------------------------------------------------------------- form 2


def xa(attributes: int) -> bytes:
    """The XA attributes of a directory record."""
    return bytes(4) + attributes.to_bytes(2, "big") + b"XA" + bytes(6)


def movie_disc(use: bytes = b"") -> tuple[bytes, dict[str, bytes]]:
    """A disc with a file in form 1, one in form 2, one in both, and what each of them holds."""
    made = IsoImage(blocks=140)
    made.root(
        record(b"PLAIN.TXT;1", 30, 5000, use=xa(0x0D55) + use),
        record(b"MOVIE.DAT;1", 40, 70 * SECTOR, use=xa(0x1555) + use),
        record(b"MIXED.STR;1", 120, 4 * SECTOR, use=xa(0x3D55) + use),
    )
    made.put(30, b"p" * 5000)
    image = made.data()
    movie = random.Random(2).randbytes(70 * 2324)
    sectors: list[bytes] = []
    for number in range(140):
        if 40 <= number < 110:
            at = (number - 40) * 2324
            sectors.append(raw_sectors.form2(movie[at : at + 2324], number))
        elif number in (121, 123):
            sectors.append(raw_sectors.form2(b"s" * 2324, number, has_edc=False))
        else:
            data = image[number * SECTOR : (number + 1) * SECTOR]
            sectors.append(raw_sectors.form1(data, number))
    mixed = b"".join(sectors[number][24:2348] for number in range(120, 124))
    return b"".join(sectors), {"plain.txt": b"p" * 5000, "movie.dat": movie, "mixed.str": mixed}


@pytest.mark.parametrize("cut", [2352, 2336, 2332])
@pytest.mark.parametrize("use", [b"", b"RR\5\1\0"])
def test_xa_files_are_whole(cut: int, use: bytes) -> None:
    data, right = movie_disc(use)
    with opened(raw_sectors.cut(data, cut)) as image:
        assert contents(image) == right
        assert (image.root / "movie.dat").stat().st_size == 70 * 2324
        with image.open("movie.dat") as file:
            file.seek(31 * 2324 + 5)
            assert file.read(5000) == right["movie.dat"][31 * 2324 + 5 :][:5000]


def test_xa_files_of_other_discs_are_as_they_were() -> None:
    data, right = movie_disc()
    with opened(raw_sectors.cut(data, 2056)) as image:
        assert (image.root / "movie.dat").stat().st_size == 70 * SECTOR
        assert image.open("plain.txt").read() == right["plain.txt"]


def test_an_xa_file_that_is_cut_off() -> None:
    data, right = movie_disc()
    with opened(data[: 75 * 2352]) as image, image.open("movie.dat") as file:
        assert file.read(35 * 2324) == right["movie.dat"][: 35 * 2324]
        with pytest.raises(OSError, match=r"movie\.dat.* past the end of the image"):
            file.read()


# ---------------------------------------------------------------- check=edc


def test_check_edc(plain: bytes, dumps: dict[tuple[int, int], bytes]) -> None:
    for key in ((1, 0), (2, 96)):
        data = bytearray(dumps[key])
        stride = 2352 + key[1]
        with opened(bytes(data), check="edc") as image, opened(plain) as right:
            assert contents(image) == contents(right)
            node = image.volume.lookup(b"deep/er/data.bin")
            assert isinstance(node.content, isomount.blocks.SingleExtent)
            sector = node.content.start // SECTOR + 3
        data[sector * stride + 100] ^= 1
        with opened(bytes(data), check="edc") as image:
            assert image.options.check is Check.EDC
            assert image.open("a.txt").read() == b"hello\n"
            with image.open("deep/er/data.bin") as file:
                assert len(file.raw.read(3 * SECTOR)) == 3 * SECTOR
                with pytest.raises(OSError, match=f"sector {sector} is damaged"):
                    file.raw.read(10)
        with opened(bytes(data)) as image:
            assert len(image.open("deep/er/data.bin").read()) == 100_001
            assert image.tracks is not None
            (count,) = count_bad(image.tracks)
            assert (count.sectors, count.bad, count.first) == (len(plain) // SECTOR, 1, sector)


def test_check_edc_of_an_image_without(plain: bytes) -> None:
    with pytest.raises(isomount.UsageError, match="is no file of raw CD sectors"):
        opened(plain, check="edc")
    with pytest.raises(isomount.UsageError, match="without checksums"):
        opened(raw_sectors.cut(raw_sectors.raw(plain, 2), 2056), check="edc")


# ---------------------------------------------------------------- what is refused, and shown


def test_refused_in_words(plain: bytes, dumps: dict[tuple[int, int], bytes]) -> None:
    dump = dumps[1, 0]
    scrambled = bytearray(dump)
    for at in range(0, len(dump), 2352):
        for place, byte in enumerate(b"\x01\x80\x00\x60", at + 12):
            scrambled[place] ^= byte
    empty = raw_sectors.raw(random.Random(3).randbytes(40 * SECTOR))
    saturn = raw_sectors.raw(b"SEGA SEGASATURN " + bytes(40 * SECTOR))
    audio = bytes(range(256)) * 147 * 4
    for data, words in (
        (bytes(scrambled), "holds scrambled CD sectors"),
        (dump[:2352] + b"\1" * 100_000, "holds raw CD sectors, but not all of them"),
        (empty, "holds the sectors of a CD, but no file system that isomount knows"),
        (empty[:2352], "is too short for a disc image"),
        (saturn, "is a track of a Sega Saturn disc"),
        (audio, "looks like CD audio without a header"),
    ):
        with pytest.raises(isomount.NotAnImageError, match=words):
            opened(data)


def test_info_shows_tracks(tmp_path: Path, dumps: dict[tuple[int, int], bytes]) -> None:
    file = tmp_path / "x.bin"
    file.write_bytes(dumps[2, 0])
    said = run("info", file)
    assert (said.returncode, said.stderr) == (0, "")
    assert "Stored as:       raw CD sectors\n" in said.stdout
    count = len(dumps[2, 0]) // 2352
    time = f"00:{count // 75:02}:{count % 75:02}"
    words = f"1: mode 2, session 1, {time} long, from sector 0"
    assert f"Tracks:          {words}\n" in said.stdout
    found = json.loads(run("info", "--json", file).stdout)
    assert found["container"] == "raw CD sectors"
    assert found["tracks"] == [
        {
            "number": 1,
            "mode": "mode 2",
            "session": 1,
            "start": 0,
            "sectors": count,
            "length": time,
            "title": None,
            "performer": None,
            "isrc": None,
        }
    ]


# ---------------------------------------------------------------- other readers, hostile input


@pytest.mark.parametrize("mode", [1, 2])
def test_the_test_writer_by_other_readers(
    tmp_path: Path, plain: bytes, dumps: dict[tuple[int, int], bytes], mode: int
) -> None:
    (tmp_path / "x.bin").write_bytes(dumps[mode, 0])
    run_tool("iat", str(tmp_path / "x.bin"), str(tmp_path / "iat.iso"))
    assert (tmp_path / "iat.iso").read_bytes() == plain
    (tmp_path / "x.cue").write_text(
        f'FILE "x.bin" BINARY\n  TRACK 01 MODE{mode}/2352\n    INDEX 01 00:00:00\n'
    )
    run_tool("bchunk", str(tmp_path / "x.bin"), str(tmp_path / "x.cue"), str(tmp_path / "b"))
    assert (tmp_path / "b01.iso").read_bytes() == plain


SMALL = IsoImage(blocks=40)
SMALL.root(record(b"A.TXT;1", 30, 5, use=xa(0x1555)))
SMALL_DUMP = raw_sectors.raw(SMALL.data(), 2)


@settings(max_examples=80)
@given(
    st.lists(st.tuples(st.integers(0, len(SMALL_DUMP) - 1), st.integers(0, 255)), max_size=30),
    st.integers(0, len(SMALL_DUMP)),
    st.binary(max_size=40),
    st.sampled_from([None, "edc"]),
)
def test_any_dump(
    changes: list[tuple[int, int]], end: int, before: bytes, check: str | None
) -> None:
    data = bytearray(SMALL_DUMP)
    for at, byte in changes:
        data[at] = byte
    try:
        with opened(before + bytes(data[: end or None]), check=check) as image:
            survey(image)
            contents(image)
    except (IsomountError, OSError):
        pass
