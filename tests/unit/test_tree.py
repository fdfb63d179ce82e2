"""The cached tree: lookups, distinct names, eviction, walks, readers that never wait."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from isomount.blocks import BlockCache, NotResidentError
from isomount.errors import StaleNodeError
from isomount.formats.options import Check, ViewOptions
from isomount.tree import Volume
from isomount.tree import volume as volume_module
from tests.formats.iso_builder import (
    ROOT,
    SECTOR,
    IsoImage,
    MemorySource,
    Opened,
    directory_record,
    many_folders,
    nm,
    record,
)

MINUTE = 60


class Counting(MemorySource):
    """Counts reads; ``resident`` says whether anything is in memory."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.reads = 0
        self.resident = True

    def read_at(self, offset: int, length: int) -> bytes:
        self.reads += 1
        return super().read_at(offset, length)

    def read_resident(self, offset: int, length: int) -> bytes | None:
        return super().read_at(offset, length) if self.resident else None


def utf16(name: str) -> bytes:
    return name.encode("utf-16-be")


# ---------------------------------------------------------------- lookups


def test_paths_lead_to_nodes() -> None:
    volume = many_folders(3).open().volume
    file = volume.lookup("d01/f01")
    assert file.size == 1
    for path in ("/d01/f01", "d01//f01", "./d01/./f01", b"d01/f01"):
        assert volume.lookup(path) == file
    assert volume.lookup("").ino == volume.lookup("/").ino == volume.root
    with pytest.raises(FileNotFoundError, match="d01/none"):
        volume.lookup("d01/none")
    with pytest.raises(NotADirectoryError, match="f01/x"):
        volume.lookup("d01/f01/x")
    with pytest.raises(FileNotFoundError):
        volume.lookup("D01")


def test_a_file_reads_whole_and_in_parts() -> None:
    image = IsoImage()
    image.root(record(b"A;1", 30, 5), directory_record(b"D", ROOT))
    image.put(30, b"hello")
    volume = image.open().volume
    node = volume.lookup("a")
    assert volume.read(node) == b"hello"
    assert volume.read(node, 1, 3) == b"ell"
    assert volume.read(node, 3, 100) == b"lo"
    assert volume.read(node, 9) == b""
    with pytest.raises(IsADirectoryError):
        volume.read(volume.lookup("d"))


def test_a_number_that_leads_nowhere_is_stale() -> None:
    with pytest.raises(StaleNodeError):
        many_folders(1).open().volume.node(1 << 40)


def test_case_folds_where_the_view_says_so() -> None:
    image = IsoImage()
    image.root(record(b"A.TXT;1"))
    image.joliet(*(record(utf16(name)) for name in ("Upper", "UPPER", "Ünïcode")))
    volume = image.open().volume
    assert volume.lookup("Upper").ino != volume.lookup("UPPER").ino
    assert volume.lookup("upper") == volume.lookup("Upper")
    assert volume.lookup("upPER...") == volume.lookup("Upper")
    with pytest.raises(FileNotFoundError):
        volume.lookup("ünÏcode")
    strict = image.open(check=Check.STRICT).volume
    with pytest.raises(FileNotFoundError):
        strict.lookup("upper")
    plain = image.open(nojoliet=True, check=Check.RELAXED).volume
    assert plain.lookup("A.Txt") == plain.lookup("a.txt")


# ---------------------------------------------------------------- names


def listed(image: IsoImage) -> list[str]:
    return image.open().names()


def test_namesakes_are_told_apart() -> None:
    image = IsoImage()
    image.root(*(record(b"A.TXT;1", 30, size) for size in (1, 2, 3)), record(b"A~2.TXT;1", 30, 4))
    opened = image.open()
    assert {path: node.size for path, node in opened.tree().items()} == {
        "a.txt": 1,
        "a~2.txt": 2,
        "a~3.txt": 3,
        "a~2~2.txt": 4,
    }
    assert opened.volume.lookup("a~3.txt").size == 3


def test_unsafe_names_are_made_safe_and_distinct() -> None:
    image = IsoImage()
    names = (b"a/b", b"a_b", b"..", b".", b"../../etc/passwd", b"ok")
    image.rock_ridge(*(record(b"X%d;1" % n, use=nm(name)) for n, name in enumerate(names)))
    assert listed(image) == ["a_b", "a_b~2", "__", "_", ".._.._etc_passwd", "ok"]


def test_names_without_anything_are_shown_too() -> None:
    image = IsoImage()
    image.root(record(b";1"), record(b".;1"), record(b"A;1"))
    assert listed(image) == ["_", "_~2", "a"]


def test_thousands_of_namesakes_stay_distinct_and_short() -> None:
    image = IsoImage()
    image.root(*(record(b"SAME.TXT;1", 30, n) for n in range(3000)))
    tree = image.open().tree()
    assert len(tree) == 3000
    assert max(map(len, tree)) == len("same~3000.txt")


def test_long_namesakes_that_are_cut_alike_stay_distinct() -> None:
    image = IsoImage()
    names = [b"n" * 200 + b"%03d" % (n // 2) for n in range(200)]
    image.rock_ridge(*(record(b"%05d;1" % n, use=nm(name)) for n, name in enumerate(names)))
    assert len(listed(image)) == 200


def test_a_joliet_name_over_255_bytes_is_cut_between_characters() -> None:
    image = IsoImage()
    image.root(record(b"A;1"))
    image.joliet(record(utf16("日" * 103)), record(utf16("日" * 102 + "x")))
    assert listed(image) == ["日" * 85, "日" * 84 + "~2"]


# ---------------------------------------------------------------- listings and the cache


def test_a_listing_goes_on_after_any_cookie() -> None:
    opened = many_folders(30).open()
    directory = opened.volume.directory(opened.volume.root)
    whole = list(directory.after(opened.blocks, 0))
    assert [name for _, name, _ in whole] == [b"d%02d" % n for n in range(30)]
    for number, (cookie, _, _) in enumerate(whole):
        assert list(directory.after(opened.blocks, cookie)) == whole[number + 1 :]


def test_a_listing_is_read_once_while_it_is_held() -> None:
    source = Counting(many_folders(4).data())
    volume = Opened(source, ViewOptions()).volume
    volume.lookup("d00/f00")
    before = source.reads
    volume.lookup("d00/f00")
    volume.node(volume.lookup("d00/f00").ino)
    assert source.reads == before


def test_the_least_recently_used_listings_are_forgotten() -> None:
    opened = many_folders(50).open()
    source = Counting(many_folders(50).data())
    volume = Volume(opened.view, BlockCache(source), opened.damage, budget=60)
    nodes = dict(volume.walk())
    assert len(nodes) == 101
    volume.lookup("d49/f49")
    before = source.reads
    volume.lookup("d49/f49")
    assert source.reads == before
    volume.lookup("d00/f00")
    assert source.reads > before
    # Numbers lead to the same nodes whether they are held or not.
    for path, node in nodes.items():
        assert volume.node(node.ino) == node, path
        assert volume.lookup(path) == node


def test_the_nodes_of_listings_are_found_by_number_without_reading(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Numbering is put off until it is needed, and then done for few listings at a time."""
    monkeypatch.setattr(volume_module, "_NUMBERED_AT_ONCE", 4)
    source = Counting(many_folders(50).data())
    volume = Opened(source, ViewOptions()).volume
    nodes = [node for _, node in volume.walk()]
    before = source.reads
    assert volume.node(nodes[-1].ino) is nodes[-1]
    assert source.reads == before
    volume.node(nodes[1].ino)  # listed first: made again rather than all numbered for it
    assert source.reads > before
    for _ in nodes:
        volume.node(nodes[1].ino)
    before = source.reads
    for node in nodes:
        assert volume.node(node.ino) is node
    assert source.reads == before


def test_what_was_forgotten_is_not_found_by_number() -> None:
    opened = many_folders(50).open()
    source = Counting(many_folders(50).data())
    volume = Volume(opened.view, BlockCache(source), opened.damage, budget=20)
    nodes = [node for _, node in volume.walk()]
    assert volume.node(nodes[-1].ino) is nodes[-1]
    numbered = volume.lookup("d00/f00")
    assert volume.node(numbered.ino) is numbered
    list(volume.walk())
    again = volume.node(numbered.ino)
    assert again == numbered
    assert again is not numbered


def test_the_smallest_budget_still_answers() -> None:
    opened = many_folders(5).open()
    volume = Volume(opened.view, opened.blocks, opened.damage, budget=0)
    assert dict(volume.walk()) == dict(opened.volume.walk())
    assert volume.node(volume.root) == opened.volume.node(volume.root)


def test_many_who_want_a_directory_read_it_once() -> None:
    class Gated(Counting):
        gate: threading.Event | None = None

        def read_at(self, offset: int, length: int) -> bytes:
            if self.gate is not None:
                assert self.gate.wait(MINUTE)
            return super().read_at(offset, length)

    source = Gated(many_folders(5).data())
    volume = Opened(source, ViewOptions()).volume
    source.gate = threading.Event()
    before = source.reads
    with ThreadPoolExecutor(6) as pool:
        asked = [pool.submit(volume.directory, volume.root) for _ in range(6)]
        source.gate.set()
        answers = [future.result(MINUTE) for future in asked]
    assert len({id(answer) for answer in answers}) == 1
    once = source.reads - before
    alone = Opened(Gated(source.data), ViewOptions())
    before = alone.blocks.source.reads  # type: ignore[attr-defined]
    alone.volume.directory(alone.volume.root)
    assert once == alone.blocks.source.reads - before  # type: ignore[attr-defined]


# ---------------------------------------------------------------- never waiting


def test_nothing_waits_with_the_resident_reader() -> None:
    source = Counting(many_folders(3).data())
    opened = Opened(source, ViewOptions())
    volume, resident = opened.volume, opened.blocks.resident
    source.resident = False
    before = source.reads
    directory = opened.view.root + 20 * SECTOR
    for ask in (
        lambda: volume.directory(volume.root, resident),
        lambda: volume.child(volume.root, b"d00", resident),
        lambda: volume.node(directory, resident),
        lambda: volume.parent(directory, resident),
    ):
        with pytest.raises(NotResidentError):
            ask()
    assert source.reads == before
    volume.lookup("d00/f00")
    before = source.reads
    # What is held answers.
    assert volume.child(volume.root, b"d00", resident) == volume.lookup("d00")
    assert volume.node(volume.lookup("d00/f00").ino, resident).size == 0
    assert source.reads == before


def test_a_long_listing_is_not_parsed_where_others_wait() -> None:
    image = IsoImage()
    image.root(*(record(b"F%05d;1" % n) for n in range(2000)))
    opened = image.open()
    with pytest.raises(NotResidentError):
        opened.volume.directory(opened.volume.root, opened.blocks.resident)
    opened.volume.directory(opened.volume.root)
    opened.volume.directory(opened.volume.root, opened.blocks.resident)
