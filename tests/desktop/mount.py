"""An image mounted in the session by a daemon that logs every request."""

import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.command import PATIENCE, check_log, wait_until
from tests.desktop.session import Session

_REQUEST = re.compile(r" DEBUG: (\w+)\(")


class LoggedMount:
    """The running mount."""

    def __init__(self, session: Session, place: Path, log: Path) -> None:
        self.session = session
        self.place = place
        self._log = log
        self._seen = 0

    @property
    def is_there(self) -> bool:
        """Whether it is still mounted."""
        return str(self.place) in self.session.mounts()

    def asked(self) -> Counter[str]:
        """What the kernel has asked for since this was called last, by request."""
        text = self._log.read_text()
        new, self._seen = text[self._seen :], len(text)
        return Counter(_REQUEST.findall(new))


@contextmanager
def logged_mount(session: Session, image: Path, place: Path) -> Iterator[LoggedMount]:
    """Mount ``image`` on ``place``; both are the session's paths.

    Who is given it may unmount it. In the end its daemon has ended well, its log held no warning
    and the folder that was made for it is gone.
    """
    log = session.home / "mount.log"
    log.unlink(missing_ok=True)
    daemon = session.start("isomount", image, place, "-d", log=log)
    mount = LoggedMount(session, place, log)
    try:
        wait_until("it is mounted", lambda: mount.is_there or daemon.poll() is not None)
        wait_until("it answers", lambda: "showing" in log.read_text() or daemon.poll() is not None)
        assert mount.is_there, log.read_text()
        yield mount
    finally:
        if mount.is_there:
            session.run("fusermount3", "-u", "-z", place)
        _wait_for(daemon, log)
    check_log(log)
    assert not session.outside(place).exists()


def _wait_for(daemon: "subprocess.Popen[bytes]", log: Path) -> None:
    try:
        assert daemon.wait(PATIENCE) == 0, log.read_text()
    except subprocess.TimeoutExpired:
        daemon.kill()
        raise
