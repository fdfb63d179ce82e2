"""Directories loaded before somebody opens them: which, how many, and what becomes of failures."""

from isomount.fs.foresight import Foresight
from tests.formats.iso_builder import IsoImage, Opened, directory_record, record

FOLDERS = 20


class Walk:
    """A walk through an image of folders with 40 files each, as the kernel shows it."""

    def __init__(self) -> None:
        image = IsoImage(blocks=300)
        image.root(*(directory_record(b"D%02d" % n, 40 + 2 * n) for n in range(FOLDERS)))
        for n in range(FOLDERS):
            files = [record(b"F%02d;1" % k, 30, k) for k in range(40)]
            image.directory(40 + 2 * n, *files)
        self.disc: Opened = image.open()
        volume = self.disc.volume
        self.folders = [
            node.ino for _, _, node in volume.directory(volume.root).after(volume.blocks, 0)
        ]
        self.foresight = Foresight(volume)
        self.foresight.listing()
        for ino in self.folders:
            self.foresight.lists(ino)

    def rest(self) -> None:
        """Nobody asks for anything for a while."""
        steps = 0
        while self.foresight.step():
            steps += 1
            assert steps < 10_000

    def held(self) -> list[int]:
        """The numbers of the folders that are loaded, in their order."""
        return [n for n, ino in enumerate(self.folders) if self.disc.volume.holds(ino)]


def test_a_few_are_loaded_in_the_order_of_the_listing() -> None:
    walk = Walk()
    walk.rest()
    assert walk.held() == [0, 1, 2, 3]


def test_as_many_more_as_are_opened() -> None:
    walk = Walk()
    for n in range(6):
        walk.rest()
        walk.foresight.opens(walk.folders[n])
    walk.rest()
    assert walk.held() == list(range(10))


def test_what_is_half_loaded_is_finished_when_it_is_opened() -> None:
    walk = Walk()
    walk.foresight.step()
    assert walk.held() == []
    walk.foresight.opens(walk.folders[0])
    assert walk.held() == [0]


def test_a_walk_of_another_kind_begins_anew() -> None:
    walk = Walk()
    walk.rest()
    walk.disc.volume.directory(walk.folders[11])
    walk.foresight.opens(walk.folders[11])
    walk.rest()
    assert walk.held() == [0, 1, 2, 3, 4, 5, 6, 7, 11]


def test_the_directories_in_a_directory_come_before_its_neighbours() -> None:
    walk = Walk()
    walk.foresight.listing()
    for ino in reversed(walk.folders[-2:]):
        walk.foresight.lists(ino)
    walk.rest()
    assert walk.held() == [0, 1, 18, 19]


def test_what_cannot_be_loaded_counts_as_well() -> None:
    walk = Walk()
    walk.foresight.listing()
    for number in (12345, 12346, 12347):  # nothing that the view knows
        walk.foresight.lists(number)
    walk.rest()
    assert walk.held() == [0]
