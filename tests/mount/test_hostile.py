"""Damaged, crafted and foreign files: a mount or one sentence, never a crash, a hang or a flood."""

from pathlib import Path

import pytest

from tests import command
from tests.command import check_log, daemon_pid, run, take_down, wait_for_end
from tests.corpus import CORPUS, all_images, needs_corpus
from tests.snapshot import snapshot

_MEMORY_AT_MOST = 200 << 20
_EXIT_CODES = (11, 30, 31)


@needs_corpus
@pytest.mark.slow
@pytest.mark.parametrize("name", all_images())
def test_every_file_is_mounted_whole_or_refused(name: str, tmp_path: Path, fuse: None) -> None:
    """Mount it, walk it, read all of it; the log may speak of damage, never of a bug."""
    image, place, log = CORPUS / name, tmp_path / "mount", tmp_path / "log"
    done = run(image, place, *command.way, "-o", f"log={log}")
    if done.returncode:
        assert done.returncode in _EXIT_CODES, done
        assert done.stderr.startswith("isomount: "), done.stderr
        assert done.stderr.count("\n") == 1, done.stderr
        assert not place.exists()
        return
    try:
        found = snapshot(place)
        peak = peak_memory(daemon_pid(log))
    finally:
        take_down(place)
    wait_for_end(daemon_pid(log))
    check_log(log, allow=("damaged image",))
    assert found["."]["type"] == "dir"
    assert peak < _MEMORY_AT_MOST


def peak_memory(pid: int) -> int:
    """The most memory that the process had resident so far, in bytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    kilobytes = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))
    return int(kilobytes) * 1024
