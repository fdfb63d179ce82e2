"""What a word on the command line means: no address and no standard input."""

from pathlib import Path

import pytest

import isomount
from isomount.errors import ImageUnreadableError
from isomount.sources import open_source, refuse_what_is_no_path


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("-", "-: standard input cannot be an image"),
        ("ftp://e.org/a%20b.iso?x=1", "with: curl -LO 'ftp://e.org/a%20b.iso?x=1'"),
        ("FTP://e.org/a.iso", "download it first, with: curl -LO FTP://e.org/a.iso"),
        ("smb://server/share/a.iso", "is an address of a kind that is not read"),
        ("file:///tmp/a%20b.iso", "name the file by its path: /tmp/a b.iso"),
        ("file://host/tmp/a.iso", "name the file by its path: /tmp/a.iso"),
    ],
)
def test_what_is_no_path_says_so(name: str, said: str) -> None:
    for ask in (refuse_what_is_no_path, open_source, isomount.open):
        with pytest.raises(ImageUnreadableError) as caught:
            ask(name)
        assert said in str(caught.value)
        assert isinstance(caught.value, FileNotFoundError)


def test_a_file_of_such_a_name_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "-").write_bytes(b"x")
    (tmp_path / "a:").mkdir()
    (tmp_path / "a:" / "b").write_bytes(b"x")
    for name in ("-", "a://b", "a:/b", "./-"):
        open_source(name).close()
