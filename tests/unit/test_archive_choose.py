"""Which member of an archive is the image."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isomount.containers.archives.choose import choose
from isomount.containers.archives.decode import Memory
from isomount.containers.archives.members import tidy
from isomount.containers.base import Archive, Member
from isomount.errors import MissingImageError, NotAnImageError
from isomount.sources import Source

LARGE = 1 << 20


class Fake(Archive):
    """An archive with these members: text, or so many bytes."""

    def __init__(self, **members: str | int) -> None:
        self.contents = members

    @property
    def members(self) -> Sequence[Member]:
        return [
            Member(name, len(content) if isinstance(content, str) else content)
            for name, content in self.contents.items()
        ]

    def open(self, name: str) -> Source:
        content = self.contents[name]
        return Memory(name, content.encode() if isinstance(content, str) else b"")

    def close(self) -> None:
        """Nothing."""


def large(*names: str) -> dict[str, str | int]:
    return dict.fromkeys(names, LARGE)


@pytest.mark.parametrize(
    ("members", "chosen"),
    [
        (large("disc.iso"), "disc.iso"),
        (large("d/disc.ISO", "readme.txt", "d/scan.jpg", "x.nfo", "x.sfv"), "d/disc.ISO"),
        (large("disc.iso", "__MACOSX/._disc.iso", "._disc.iso", ".hidden.iso"), "disc.iso"),
        (large("disc.iso.xz", "notes.txt.gz"), "disc.iso.xz"),
        (large("inner.zip", "a.txt"), "inner.zip"),
        ({"disc.iso": LARGE, "empty.iso": 0}, "disc.iso"),
        (large("data", "manual.pdf"), "data"),
        ({"data": LARGE, "other": 100}, "data"),
        ({"Game.cue": "", "x.cue": 'FILE "g.bin" BINARY', "g.bin": LARGE}, "x.cue"),
        ({"g.cue": 'FILE "g.bin"', **large("g.bin", "g.txt")}, "g.cue"),
        ({"g.cue": 'FILE "g.bin"', **large("g.bin.gz", "t2.wav.xz")}, "g.cue"),
        ({"renamed.cue": 'FILE "g.bin"', **large("other.bin", "t2.wav")}, "renamed.cue"),
        (
            {"d/g.cue": 'FILE "G (1).BIN"', **large("d/G (1).bin", "d/G (2).bin")},
            "d/g.cue",
        ),
        ({"g.ccd": "[CloneCD]", **large("g.img", "g.sub")}, "g.ccd"),
        ({"g.mds": "MEDIA", **large("g.mdf")}, "g.mds"),
        ({"g.gdi": "3", "g.cue": "FILE x", **large("track01.bin", "track02.raw")}, "g.gdi"),
        ({"g.cue": 'F\0I\0L\0E\0 \0"\0d\0.\0i\0s\0o\0"', **large("d.iso")}, "g.cue"),
        (large("x.iso.001", "x.iso.002", "x.iso.003"), "x.iso.001"),
        (large("x.001", "x.002"), "x.001"),
    ],
)  # fmt: skip
def test_the_one_image_of_an_archive(members: dict[str, str | int], chosen: str) -> None:
    assert choose(Fake(**members), "a.zip") == (chosen, "")


def test_several_are_listed_as_they_are_to_be_typed() -> None:
    archive = Fake(**large("one.iso", "d/it's two.iso", "readme.txt"))
    with pytest.raises(NotAnImageError) as caught:
        choose(archive, "/d/a.zip")
    assert str(caught.value) == (
        "/d/a.zip: holds several images; name one of them: "
        "/d/a.zip/one.iso, '/d/a.zip/d/it'\"'\"'s two.iso'"
    )


def test_a_list_is_bounded() -> None:
    archive = Fake(**large(*(f"{number}.iso" for number in range(100_000))))
    with pytest.raises(NotAnImageError, match=r"a\.zip/19\.iso and 99980 more$") as caught:
        choose(archive, "a.zip")
    assert len(str(caught.value)) < 1000


def test_an_archive_without_an_image() -> None:
    with pytest.raises(NotAnImageError, match=r"without a disc image in it$"):
        choose(Fake(), "a.zip")
    members: dict[str, str | int] = {"a.txt": 10, "b.doc": LARGE, "c.png": LARGE, "d": 5}
    with pytest.raises(NotAnImageError, match=r"in it, but a\.txt, b\.doc, c\.png and 1 more$"):
        choose(Fake(**members), "a.zip")


def test_two_sheets_with_their_own_files_are_two_images() -> None:
    members: dict[str, str | int] = {"1.cue": 'FILE "1.bin"', "2.cue": 'FILE "2.bin"'}
    with pytest.raises(NotAnImageError, match=r"of them: a/1\.cue, a/2\.cue$"):
        choose(Fake(**members, **large("1.bin", "2.bin")), "a")


def test_a_path_chooses() -> None:
    archive = Fake(**large("one.iso", "d/two.iso", "d/e/three.iso", "f/four.iso", "b.tar", "g/x"))
    assert choose(archive, "a", "d/two.iso") == ("d/two.iso", "")
    assert choose(archive, "a", "f") == ("f/four.iso", "")
    assert choose(archive, "a", "b.tar/c/d.iso") == ("b.tar", "c/d.iso")
    assert choose(archive, "a", "g/x") == ("g/x", "")
    with pytest.raises(NotAnImageError, match=r"^a/d: holds several .* a/d/two\.iso, a/d/e/three"):
        choose(archive, "a", "d")
    with pytest.raises(MissingImageError, match=r"^a/none: there is no such file in the archive; "):
        choose(archive, "a", "none")


@given(st.text(max_size=30))
def test_tidy_names_lead_nowhere(name: str) -> None:
    found = tidy(name)
    assert not found.startswith("/")
    assert not {"", ".", ".."} & set(found.split("/")) or found == ""
    assert tidy(found) == found
    assert "\0" not in found
