"""Images behind ssh, of a real server."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from isomount.errors import ForbiddenImageError, ImageUnreadableError, MissingImageError
from isomount.sources import Keeping, Source, open_source
from isomount.sources.remote.files import FileSource
from tests.remote import ssh

pytest.importorskip("sshfs")
pytestmark = [
    pytest.mark.skipif(ssh.program() is None, reason="no sshd"),
    # asyncssh leaves its connections to the garbage collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

DATA = os.urandom(600_000)
NOTHING = Keeping(0)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch, ssh.serving(home):
        patch.setenv("HOME", str(home))
        patch.delenv("SSH_AUTH_SOCK", raising=False)
        yield home


@pytest.mark.parametrize("scheme", ["ssh", "sftp"])
def test_read_in_any_order(home: Path, scheme: str) -> None:
    (home / "a b.iso").write_bytes(DATA)
    source = open_source(f"{scheme}://far{home}/a%20b.iso", NOTHING)
    assert (source.name, source.size) == (f"{scheme}://far{home}/a%20b.iso", len(DATA))
    assert source.read_at(300_000, 70_000) == DATA[300_000:370_000]
    assert source.read_at(5, 10) == DATA[5:15]
    assert source.read_at(len(DATA) - 5, 100) == DATA[-5:]
    source.close()
    with pytest.raises(ValueError, match="is closed"):
        source.read_at(0, 1)


def test_what_is_not_there(home: Path) -> None:
    with pytest.raises(MissingImageError, match="the server has no such file"):
        open_source("ssh://far/none.iso", NOTHING)
    with pytest.raises(ImageUnreadableError, match="it is a folder"):
        open_source(f"ssh://far{home}", NOTHING)
    with pytest.raises(ImageUnreadableError, match="names no host"):
        open_source("ssh:///none.iso", NOTHING)


def test_who_is_not_let_in(home: Path) -> None:
    with pytest.raises(ForbiddenImageError, match="see that this works: ssh"):
        open_source(f"ssh://nobody@far{home}/a.iso", NOTHING)


def test_kept_on_the_disk(home: Path, tmp_path: Path) -> None:
    (home / "c.iso").write_bytes(DATA)

    def opened() -> Source:
        return open_source(f"ssh://far{home}/c.iso", Keeping(1 << 30, str(tmp_path)))

    for _ in range(2):
        source = opened()
        assert source.read_at(0, len(DATA)) == DATA
        source.close()
    assert any(tmp_path.iterdir())


class Breaking:
    """A file system whose connections break off."""

    def __init__(self, data: list[bytes], broken: list[str]) -> None:
        self.data, self.broken = data, broken

    def info(self, path: str) -> dict[str, object]:
        return {"size": len(self.data[0]), "mtime": self.data[0][:4], "type": "file"}

    def open(self, path: str, mode: str, block_size: int) -> "Breaking":
        return self

    def seek(self, offset: int) -> None:
        if self.broken:
            raise ConnectionError(self.broken.pop())
        self.at = offset

    def read(self, length: int) -> bytes:
        return self.data[0][self.at : self.at + length]

    def close(self) -> None:
        pass


def test_a_connection_that_breaks_off_is_made_again() -> None:
    data, broken = [DATA], list[str]()
    source = FileSource("far", lambda: Breaking(data, broken), "/a.iso")
    broken.append("once")
    assert source.read_at(7, 7) == DATA[7:14]
    broken += ["twice", "once"]
    with pytest.raises(OSError, match="twice"):
        source.read_at(7, 7)
    assert source.read_at(7, 7) == DATA[7:14]
    broken.append("and the file is another one")
    data[0] = bytes(len(DATA))
    for _ in range(2):
        with pytest.raises(OSError, match="another file by now"):
            source.read_at(7, 7)
    source.close()
