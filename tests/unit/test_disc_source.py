"""The data tracks of a disc as a source: what is where, and what is nowhere."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isomount.containers.discs.check import CheckedDiscSource, count_bad
from isomount.containers.discs.disc import Disc, Mode, Run, Track
from isomount.containers.discs.source import DiscSource
from isomount.errors import DamagedDataError, NotAnImageError, UsageError
from isomount.sources import LocalSource, Source
from tests.containers import raw_sectors
from tests.formats.iso_builder import MemorySource

SECTOR = 2048


def data(sectors: int, first: int = 0) -> bytes:
    """Sectors that tell their numbers."""
    return b"".join(b"%08d" % number * 256 for number in range(first, first + sectors))


def source(disc: Disc) -> DiscSource:
    return DiscSource(disc, "disc", lambda file: file)


def run(
    stored: bytes | Source, lba: int, size: int, mode: Mode = Mode.MODE1, stride: int = 0
) -> Run:
    file = MemorySource(stored) if isinstance(stored, bytes) else stored
    stride = stride or size
    return Run(lba, (file.size + stride - size) // stride, file, 0, size, stride, mode)


def disc(*runs: Run, **fields: object) -> Disc:
    tracks = tuple(
        Track(number, each.mode, each.lba, each.sectors) for number, each in enumerate(runs, 1)
    )
    return Disc("test", tracks, runs, **fields)  # type: ignore[arg-type]


def test_an_audio_disc() -> None:
    with pytest.raises(NotAnImageError, match="disc: is an audio disc without a data track"):
        source(disc(run(bytes(2352 * 10), 0, 2352, Mode.AUDIO)))


def mixed(shape: Callable[[bytes], bytes | Source] = bytes) -> DiscSource:
    """Data at 0 to 19, audio to 39, nothing to 99, data in other sectors to 119."""
    return source(
        disc(
            run(shape(raw_sectors.raw(data(20), 1, 0, 96)), 0, 2352, Mode.MODE1, 2448),
            run(shape(b"\1" * 2352 * 20), 20, 2352, Mode.AUDIO),
            run(shape(raw_sectors.raw(data(20, 100), 2, 100)), 100, 2352, Mode.MODE2),
        )
    )


MIXED = mixed()


def test_what_is_where() -> None:
    disc = MIXED
    assert disc.size == 120 * SECTOR
    assert disc.block_size is None
    assert disc.measure() == disc.size
    assert disc.read_at(0, 20 * SECTOR) == data(20)
    assert disc.read_at(100 * SECTOR, 1 << 20) == data(20, 100)
    assert disc.read_at(5 * SECTOR + 7, 3000) == data(20)[5 * SECTOR + 7 :][:3000]
    assert disc.read_at(119 * SECTOR + 2040, 100) == data(20, 100)[-8:]
    assert disc.read_at(disc.size, 1) == disc.read_at(-1, 1) == b""


def test_what_is_nowhere_is_an_error_and_no_zeros() -> None:
    disc = mixed()
    for lba, words in ((20, "sector 20 is in track 2 .audio.: no data"), (50, "in no track")):
        with pytest.raises(OSError, match=words):
            disc.read_at(lba * SECTOR, 10)
        assert disc.read_resident(lba * SECTOR, 10) is None
    with pytest.raises(OSError, match="sector 20"):
        disc.read_at(19 * SECTOR, 2 * SECTOR)
    assert disc.resident_range(0, SECTOR) is None


@pytest.fixture
def on_disk(tmp_path: Path) -> Callable[[bytes], Source]:
    def write(stored: bytes) -> Source:
        file = tmp_path / str(len(list(tmp_path.iterdir())))
        file.write_bytes(stored)
        return LocalSource(file)

    return write


@settings(max_examples=100)
@given(st.integers(0, 121 * SECTOR), st.integers(0, 12 * SECTOR))
def test_any_range(offset: int, length: int) -> None:
    tracks = MIXED
    whole = data(20) + bytes(80 * SECTOR) + data(20, 100)
    end = min(offset + length, tracks.size)
    gap = range(20 * SECTOR, 100 * SECTOR)
    if length and offset < end and (offset in gap or end - 1 in gap or offset < 20 * SECTOR < end):
        with pytest.raises(OSError, match="sector"):
            tracks.read_at(offset, length)
    else:
        assert tracks.read_at(offset, length) == whole[offset : offset + length]


def test_out_of_the_page_cache(on_disk: Callable[[bytes], Source]) -> None:
    tracks = mixed(on_disk)
    tracks.read_at(0, 20 * SECTOR)
    for offset, length in ((0, 20 * SECTOR), (3 * SECTOR + 5, 5000), (0, 1), (19 * SECTOR, SECTOR)):
        assert tracks.read_resident(offset, length) == data(20)[offset : offset + length]
    assert tracks.read_resident(100 * SECTOR, 1 << 20) == data(20, 100)
    assert tracks.read_resident(19 * SECTOR, 2 * SECTOR) is None  # audio is not read
    tracks.close()


def test_more_than_one_call_brings(on_disk: Callable[[bytes], Source]) -> None:
    stored = b"".join(raw_sectors.header(n, 1) + b"%08d" % n * 256 + bytes(288) for n in range(700))
    tracks = source(disc(run(on_disk(stored), 0, 2352)))
    for count in (511, 512, 513, 700):
        assert tracks.read_resident(0, count * SECTOR) == data(count)
        assert tracks.read_resident(0, count * SECTOR - 3) == data(count)[:-3]


def test_plain_sectors_are_handed_on_as_they_stand(on_disk: Callable[[bytes], Source]) -> None:
    tracks = source(disc(run(on_disk(data(40)), 10, 2048)))
    assert tracks.read_resident(12 * SECTOR, SECTOR) == data(1, 2)
    where = tracks.resident_range(12 * SECTOR, 8 * SECTOR)
    assert where is None or (where.offset, len(where)) == (2 * SECTOR, 8 * SECTOR)
    assert tracks.resident_range(49 * SECTOR, 2 * SECTOR) is None


# ---------------------------------------------------------------- where sectors really are


def iso(root: int, start: int = 0) -> bytes:
    """A volume that looks like one: a descriptor and the root's own record, at ``start`` on."""
    sectors = dict.fromkeys(range(20), b"x" * SECTOR)
    extent = root.to_bytes(4, "little")
    sectors[16] = (b"\1CD001\1".ljust(158, b"\0") + extent).ljust(SECTOR, b"\0")
    sectors[root - start] = (b"\x22\0" + extent).ljust(SECTOR, b"\0")
    return b"".join(sectors[number] for number in range(20))


def test_a_gap_between_sessions_that_the_sheet_leaves_out() -> None:
    first, second = raw_sectors.raw(data(20)), raw_sectors.raw(iso(11438, 11420), 2, 11420)
    tracks = source(disc(run(first, 0, 2352), run(second, 20, 2352, Mode.MODE2)))
    assert tracks.read_at(11436 * SECTOR, 7) == b"\1CD001\1"
    assert [track.start for track in tracks.disc.tracks] == [0, 11420]
    assert [track.session for track in tracks.disc.tracks] == [1, 2]
    assert tracks.sessions == {2: 11420}
    assert [each.lba for each in tracks.disc.runs] == [0, 11420]


def test_headers_that_were_made_up() -> None:
    """Each track counts from 0, but what is in it does not."""
    tracks = source(disc(run(raw_sectors.raw(iso(45018, 45000)), 45000, 2352)))
    assert tracks.read_at(45016 * SECTOR, 7) == b"\1CD001\1"
    # A sheet that is wrong where the volume says that the header is right.
    tracks = source(disc(run(raw_sectors.raw(iso(18)), 150, 2352)))
    assert tracks.read_at(16 * SECTOR, 7) == b"\1CD001\1"
    # The second would lie over the third.
    late = run(raw_sectors.raw(data(20), 1, 5000), 20, 2352)
    tracks = source(disc(run(data(20), 0, 2048), late, run(data(20), 40, 2048)))
    assert [each.lba for each in tracks.runs] in ([0, 20, 40], [0, 5000, 5020])


def test_data_that_the_sheet_calls_audio() -> None:
    tracks = source(disc(run(raw_sectors.raw(data(20), 2), 0, 2352, Mode.AUDIO)))
    assert tracks.read_at(0, 1 << 20) == data(20)
    assert [track.mode for track in tracks.disc.tracks] == [Mode.MODE2]


def test_a_pregap_that_is_stored() -> None:
    stored = raw_sectors.raw(data(150) + iso(18), 1, -150)
    tracks = source(disc(run(stored, -150, 2352)))
    assert tracks.read_at(16 * SECTOR, 7) == b"\1CD001\1"
    tracks = source(disc(run(stored, 0, 2352)))
    assert tracks.read_at(16 * SECTOR, 7) == b"\1CD001\1"
    assert tracks.size == 20 * SECTOR


def test_a_file_that_is_shorter_than_its_sheet_says() -> None:
    stored = raw_sectors.raw(data(20))
    whole = run(stored, 0, 2352)
    tracks = source(disc(whole._replace(file=MemorySource(stored[: 10 * 2352 + 2064]))))
    assert tracks.read_at(0, 1 << 20) == data(11)
    tracks = source(disc(whole._replace(file=MemorySource(stored[: 10 * 2352 + 2063]))))
    assert tracks.size == 10 * SECTOR
    with pytest.raises(NotAnImageError):
        source(disc(whole._replace(file=MemorySource(b""))))


def test_sessions() -> None:
    volume = run(iso(18), 0, 2048)
    assert source(disc(volume)).sessions == {}  # there may be more in it
    audio = run(bytes(2352), 0, 2352, Mode.AUDIO)
    later = run(iso(11418, 11400), 11400, 2048)
    extra = source(
        Disc(
            "test",
            (Track(1, Mode.AUDIO, 0, 1), Track(2, Mode.MODE2, 11400, 20, session=2)),
            (audio, later),
        )
    )
    assert extra.sessions == {2: 11400}
    high = run(iso(45018, 45000), 45000, 2048)
    assert source(disc(volume, high)).sessions == {1: 0, 2: 45000}


# ---------------------------------------------------------------- form 2, EDC


def test_form_2() -> None:
    movie = [bytes([number]) * 2324 for number in range(20)]
    sectors = [raw_sectors.form2(each, number) for number, each in enumerate(movie)]
    tracks = source(disc(run(b"".join(sectors), 0, 2352, Mode.MODE2)))
    assert tracks.has_form2(19)
    assert not tracks.has_form2(20)
    assert tracks.form2(3, 5) == b"".join(movie[3:8])
    headless = source(disc(run(b"".join(each[16:] for each in sectors), 0, 2336, Mode.MODE2)))
    assert headless.form2(3, 5) == b"".join(movie[3:8])
    with pytest.raises(OSError, match="sector 20"):
        tracks.form2(19, 2)
    for size in (2048, 2056):
        assert not source(disc(run(data(20), 0, size))).has_form2(0)
    assert not source(disc(run(raw_sectors.raw(data(20)), 0, 2352))).has_form2(0)


def test_edc() -> None:
    stored = bytearray(raw_sectors.raw(data(400), 1, 0, 96))
    good = source(disc(run(bytes(stored), 0, 2352, Mode.MODE1, 2448)))
    assert CheckedDiscSource(good).read_at(5000, 1 << 20) == data(400)[5000:]
    assert [count[1:] for count in count_bad(good)] == [(400, 0, 0, None)]
    stored[300 * 2448 + 1000] ^= 1
    stored[390 * 2448] ^= 1
    stored[391 * 2448 + 2400] ^= 1  # subchannel
    bad = source(disc(run(bytes(stored), 0, 2352, Mode.MODE1, 2448)))
    checked = CheckedDiscSource(bad)
    assert checked.read_at(0, 300 * SECTOR) == data(300)
    with pytest.raises(DamagedDataError, match="sector 300 is damaged: its checksum"):
        checked.read_at(299 * SECTOR, 3 * SECTOR)
    # A sector of whose sync a bit is wrong is as damaged.
    with pytest.raises(DamagedDataError, match="sector 390"):
        checked.read_at(390 * SECTOR, 1)
    assert [count[1:] for count in count_bad(bad)] == [(400, 2, 0, 300)]


@pytest.mark.parametrize("cut", [0, 16])
def test_edc_of_both_forms(cut: int) -> None:
    sectors = [raw_sectors.form1(b"a" * SECTOR, number) for number in range(20)]
    sectors += [raw_sectors.form2(b"b", number) for number in range(20, 30)]
    sectors += [raw_sectors.form2(b"b", number, has_edc=False) for number in range(30, 40)]
    damaged = bytearray(b"".join(each[cut:] for each in sectors))
    damaged[25 * (2352 - cut) + 500] ^= 4
    tracks = source(disc(run(bytes(damaged), 0, 2352 - cut, Mode.MODE2)))
    assert [count[1:] for count in count_bad(tracks)] == [(40, 1, 10, 25)]
    checked = CheckedDiscSource(tracks)
    assert checked.form2(20, 5) == (b"b".ljust(2324, b"\0")) * 5
    with pytest.raises(DamagedDataError):
        checked.form2(20, 6)


def test_discs_without_edc() -> None:
    left_out = b"".join(raw_sectors.header(n, 1) + b"d" * SECTOR + bytes(288) for n in range(20))
    for each in (run(data(20), 0, 2048), run(left_out, 0, 2352)):
        with pytest.raises(UsageError, match="without checksums"):
            CheckedDiscSource(source(disc(each)))
        assert [count[1:] for count in count_bad(source(disc(each)))] == [(20, 0, 20, None)]


def test_a_damaged_mode_is_no_empty_sector() -> None:
    stored = bytearray(raw_sectors.raw(data(20)) + raw_sectors.mode0(20))
    stored[18 * 2352 + 15], stored[19 * 2352 + 15] = 0, 7
    tracks = source(disc(run(bytes(stored), 0, 2352)))
    assert [count[1:] for count in count_bad(tracks)] == [(21, 2, 1, 18)]
    # Audio has nothing to count.
    assert [count.track.number for count in count_bad(MIXED)] == [1, 3]


def test_audio_behind_data_in_a_file_without_a_sheet() -> None:
    tracks = source(disc(run(raw_sectors.raw(data(20)) + bytes(2352 * 20), 0, 2352)))
    assert [count[1:] for count in count_bad(tracks)] == [(40, 0, 20, None)]


@settings(max_examples=150)
@given(
    st.lists(
        st.tuples(
            st.integers(-(1 << 33), 1 << 33),
            st.integers(-5, 1 << 40),
            st.integers(-5, 1 << 33),
            st.sampled_from([2048, 2056, 2324, 2332, 2336, 2352]),
            st.integers(0, 3000),
            st.sampled_from(Mode),
        ),
        max_size=4,
    ),
    st.binary(max_size=200),
)
def test_any_disc(runs: list[tuple[int, int, int, int, int, Mode]], noise: bytes) -> None:
    file = MemorySource(noise + raw_sectors.raw(data(3)) + noise)
    made = [
        Run(lba, sectors, file, offset, size, stride, mode)
        for lba, sectors, offset, size, stride, mode in runs
    ]
    try:
        tracks = source(disc(*made))
    except NotAnImageError:
        return
    for each in tracks.runs:
        try:
            tracks.read_at(each.lba * SECTOR, 5000)
        except (OSError, DamagedDataError):
            continue
    assert tracks.sessions is not None
