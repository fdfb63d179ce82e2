"""CHD by our own writer: every version, kinds of hunks that tools at hand do not write, damage."""

import lzma
import random
import struct
from pathlib import Path

import pytest

from isomount.containers import unpack as unpack_file
from isomount.containers.discs.disc import Disc, Mode
from isomount.containers.packed.chd import unpack
from isomount.containers.packed.chd.metadata import Metadata
from isomount.containers.packed.chd.tracks import disc_of, read_tracks
from isomount.errors import (
    DamagedDataError,
    DamagedImageError,
    MissingImageError,
)
from tests.containers.chd import (
    HUNK,
    SURROUNDINGS,
    Entry,
    a_disc,
    chd5,
    chd_old,
    content,
    deflated,
    header5,
    packed_hunk,
    packed_map,
    raw_entry,
    whole,
)
from tests.formats.iso_builder import MemorySource


def lzma_packed(data: bytes) -> bytes:
    filters = [{"id": lzma.FILTER_LZMA1, "lc": 3, "lp": 0, "pb": 2, "dict_size": 1 << 16}]
    packer = lzma.LZMACompressor(lzma.FORMAT_RAW, filters=filters)
    return packer.compress(data) + packer.flush()


def zstd_packed(data: bytes) -> bytes:
    zstandard = pytest.importorskip("zstandard")
    return bytes(zstandard.ZstdCompressor().compress(data))


# ---------------------------------------------------------------- what is right

PACKERS = {b"zlib": deflated, b"lzma": lzma_packed, b"zstd": zstd_packed}


@pytest.mark.parametrize("tag", PACKERS)
def test_version_5(tag: bytes) -> None:
    data = a_disc()
    assert whole(chd5(data, tag, PACKERS[tag])) == data


def test_hunks_side_by_side_are_read_at_once() -> None:
    data = random.Random(7).randbytes(8 * HUNK)  # none packs, nor comes again

    class Counted(MemorySource):
        reads = 0

        def read_at(self, offset: int, length: int) -> bytes:
            self.reads += 1
            return super().read_at(offset, length)

    file = Counted(chd5(data, b"zlib", deflated))
    source = unpack(file, SURROUNDINGS)
    assert not isinstance(source, Disc)
    file.reads = 0
    assert source.read_at(0, len(data)) == data
    assert file.reads == 1


def test_a_damaged_hunk_among_others_is_lost_alone() -> None:
    data = random.Random(7).randbytes(8 * HUNK)
    packed = bytearray(chd5(data, b"zlib", deflated))
    packed[packed.index(data[3 * HUNK : 3 * HUNK + 16])] ^= 1
    source = SURROUNDINGS.cached(content(bytes(packed)))
    for number in (0, 1, 2, 4, 5, 6, 7):
        at = number * HUNK
        assert source.read_at(at, HUNK) == data[at : at + HUNK]
    with pytest.raises(DamagedDataError, match="checksum"):
        source.read_at(3 * HUNK, 1)


@pytest.mark.parametrize("version", [1, 2, 3, 4])
def test_older_versions(version: int) -> None:
    data = a_disc()
    assert whole(chd_old(data, version)) == data


def test_the_last_hunk_is_as_long_as_the_disc() -> None:
    data = a_disc()[:-2048]
    assert whole(chd5(data, b"zlib", deflated)) == data
    assert content(chd5(data, b"zlib", deflated)).read_at(len(data) - 10, 100) == data[-10:]


def test_an_uncompressed_map_has_zeros_where_nothing_is_stored() -> None:
    data = random.Random(1).randbytes(HUNK)
    head = header5(3 * HUNK, [bytes(4)], 124, 0)
    table = struct.pack(">III", 1, 0, 1)
    assert whole((head + table).ljust(HUNK, b"\0") + data) == data + bytes(HUNK) + data


def test_a_run_is_told_by_one_or_two_symbols() -> None:
    piece = bytes(range(256)) * 16
    place, packed = 124, deflated(piece)
    entries = [packed_hunk(0, packed, piece, place), Entry([5], [(0, 32)], raw_entry(5, 0, 0))]
    entries.append(Entry([9], raw=raw_entry(5, 0, 0)))
    entries.append(Entry([7, 7], raw=raw_entry(5, 0, 0) * 10))  # 3 + 7
    entries.append(Entry([8, 1, 8], raw=raw_entry(5, 0, 0) * 43))  # 19 + 16 + 8
    the_map = packed_map(entries, place)
    count = 3 + 10 + 43
    head = header5(count * HUNK, [b"zlib"], 124 + len(packed), 0)
    assert whole(head + packed + the_map) == piece * count


CD_TAGS = {b"cdzl": (deflated, deflated), b"cdzs": (zstd_packed, zstd_packed)}
CD_TAGS[b"cdlz"] = (lzma_packed, deflated)


@pytest.mark.parametrize("tag", CD_TAGS)
def test_frames_of_cds(tag: bytes) -> None:
    random_ = random.Random(2)
    frames = [bytes([n]) * 2352 + random_.randbytes(4) * 24 for n in range(8)]

    def packed(hunk: bytes) -> bytes:
        pieces = [hunk[at : at + 2448] for at in range(0, len(hunk), 2448)]
        sectors, subchannel = CD_TAGS[tag]
        base = sectors(b"".join(piece[:2352] for piece in pieces))
        rest = subchannel(b"".join(piece[2352:] for piece in pieces))
        return bytes(1) + len(base).to_bytes(2) + base + rest

    data = b"".join(frames)
    assert whole(chd5(data, tag, packed, (), hunk=len(data), unit=2448)) == data


def test_what_was_left_out_of_a_sector_is_its_sync_again() -> None:
    sector = bytes(12) + bytes([0, 2, 0, 1]) + b"d" * 2048 + b"e" * 4 + bytes(284)
    base = deflated(sector * 8)

    def packed(_: bytes) -> bytes:
        return bytes([0b10]) + len(base).to_bytes(2) + base + deflated(bytes(96 * 8))

    data = whole(chd5(bytes(8 * 2448), b"cdzl", packed, (), hunk=8 * 2448, unit=2448))
    assert data[:2352] == sector
    assert data[2448 : 2448 + 2352] == b"\0" + b"\xff" * 10 + b"\0" + sector[12:]


def test_a_dvd_is_what_its_bytes_are(tmp_path: Path) -> None:
    path = tmp_path / "x.chd"
    path.write_bytes(chd5(a_disc(), b"zlib", deflated))
    found = unpack_file(path)
    with_cache = found.source.read_at(5, 30000)
    found.source.close()
    assert with_cache == a_disc()[5:30005]


# ---------------------------------------------------------------- parents


def child(parent: bytes, own: bytes = b"c" * 20) -> bytes:
    """A hunk of its own, then the parent's first two, told in three ways."""
    piece = b"own." * (HUNK // 4)
    packed = deflated(piece)
    entries = [
        packed_hunk(0, packed, piece, 124),
        Entry([11], raw=raw_entry(6, 0, 2)),  # the parent's at its own place
        Entry([6], [(0, 32)], raw_entry(6, 0, 0)),
        Entry([13], raw=raw_entry(6, 0, 2)),  # the next after that
        Entry([12], raw=raw_entry(6, 0, 2)),
    ]
    head = header5(5 * HUNK, [b"zlib"], 124 + len(packed), 0, parent=parent, identity=own)
    return head + packed + packed_map(entries, 124)


def test_a_parent_is_found_by_its_hash_whatever_it_is_called(tmp_path: Path) -> None:
    data = random.Random(5).randbytes(2 * HUNK)
    (tmp_path / "a.chd").write_bytes(b"MComprHD and no more")
    (tmp_path / "b.chd").write_bytes(chd5(bytes(HUNK), b"zlib", deflated)[:84])
    (tmp_path / "z.CHD").write_bytes(chd5(data, b"zlib", deflated))
    (tmp_path / "c.chd").write_bytes(child(b"i" * 20))
    found = unpack_file(tmp_path / "c.chd").source
    second = data[HUNK:]
    assert found.read_at(0, found.size) == (
        b"own." * (HUNK // 4) + second + data[:HUNK] + second + second
    )
    found.close()


def test_a_missing_parent_is_named(tmp_path: Path) -> None:
    (tmp_path / "c.chd").write_bytes(child(b"\x12" * 20))
    with pytest.raises(MissingImageError, match=f"SHA-1 {'12' * 20}; put the parent"):
        unpack_file(tmp_path / "c.chd")


def test_nobody_is_his_own_ancestor(tmp_path: Path) -> None:
    (tmp_path / "c.chd").write_bytes(child(b"d" * 20, b"c" * 20))
    (tmp_path / "d.chd").write_bytes(child(b"c" * 20, b"d" * 20))
    with pytest.raises(DamagedImageError, match="too many times"):
        unpack_file(tmp_path / "c.chd")


# ---------------------------------------------------------------- tracks


def tracks(*texts: str, tag: bytes = b"CHT2", frames: int = 400) -> Disc:
    source = MemorySource(bytes(2448 * frames))
    listed = read_tracks("x", [Metadata(tag, text.encode() + b"\0") for text in texts])
    return disc_of("x", listed, source)


def test_each_track_is_filled_up_to_four_frames() -> None:
    disc = tracks(
        "TRACK:1 TYPE:MODE1 SUBTYPE:NONE FRAMES:101 PREGAP:0 PGTYPE:MODE1 PGSUB:NONE POSTGAP:0",
        "TRACK:2 TYPE:AUDIO SUBTYPE:NONE FRAMES:50 PREGAP:10 PGTYPE:VAUDIO PGSUB:NONE POSTGAP:0",
        "TRACK:3 TYPE:MODE2_RAW SUBTYPE:NONE FRAMES:20 PREGAP:150 PGTYPE:MODE1 PGSUB:RW POSTGAP:0",
    )
    first, second, third = disc.runs
    assert (first.lba, first.sectors, first.offset, first.size) == (0, 101, 0, 2048)
    assert (second.lba, second.offset, second.mode) == (101, 104 * 2448, Mode.AUDIO)
    assert second.is_big_endian
    assert (third.lba, third.offset, third.size) == (151 + 150, 156 * 2448, 2352)
    assert [track.start for track in disc.tracks] == [0, 111, 301]
    assert [track.pregap for track in disc.tracks] == [0, 10, 150]
    assert disc.tracks[1].length == 40


def test_a_pregap_stored_before_the_first_track_is_before_sector_0() -> None:
    disc = tracks("TRACK:1 TYPE:MODE1_RAW FRAMES:300 PREGAP:150 PGTYPE:VMODE1_RAW")
    (run,) = disc.runs
    assert (run.lba, run.sectors, run.offset) == (0, 150, 150 * 2448)


def test_a_gd_rom_has_its_second_area_at_45000() -> None:
    disc = tracks(
        "TRACK:1 TYPE:MODE1_RAW FRAMES:100 PAD:20",
        "TRACK:2 TYPE:AUDIO FRAMES:100 PAD:0",
        "TRACK:3 TYPE:MODE1_RAW FRAMES:30 PAD:0",
        tag=b"CHGD",
    )
    assert [(run.lba, run.sectors) for run in disc.runs] == [(0, 80), (100, 100), (45000, 30)]
    assert [track.session for track in disc.tracks] == [1, 1, 2]


def test_the_oldest_list_of_tracks_is_binary_in_either_byte_order() -> None:
    for order in "><":
        data = struct.pack(f"{order}I", 1) + struct.pack(f"{order}6I", 1, 0, 2352, 0, 30, 2)
        (listed,) = read_tracks("x", [Metadata(b"CHCD", data)])
        assert (listed.frames, listed.sectors.size) == (30, 2352)


@pytest.mark.parametrize(
    "text",
    [
        "TRACK:1 TYPE:MODE9 FRAMES:1",
        "TRACK:1 TYPE:MODE1 FRAMES:99999999999999999999",
        "TRACK:1 TYPE:MODE1 FRAMES:x",
        "TRACK:1 TYPE:MODE1 FRAMES:10 PAD:11",
        "",
        "TRACK:1 TYPE:MODE1 FRAMES:0",
    ],
)
def test_tracks_that_cannot_be(text: str) -> None:
    with pytest.raises(DamagedImageError):
        tracks(text)


def test_metadata_that_lead_to_themselves_end() -> None:
    data = bytearray(chd5(a_disc(), b"zlib", deflated))
    at = int.from_bytes(data[48:56])
    struct.pack_into(">Q", data, at + 8, at)
    with pytest.raises(DamagedImageError, match="tracks are listed"):
        content(bytes(data))
