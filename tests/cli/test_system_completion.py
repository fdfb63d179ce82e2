"""What the shells complete, asked in the shells: a word is typed, then the tab key."""

import os
import pty
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from isomount.cli import VERBS
from isomount.cli.docs import completion, manual
from isomount.cli.options.table import TABLE, Target
from tests.command import PATIENCE, environment
from tests.conftest import Mounted

# (typed, what the command is then given)
FIRST_WORDS = [
    ("umo\t", "umount"),
    ("small\t", "small.iso"),
    ("--fore\t", "--foreground"),
    ("ls sma\t", "ls small.iso"),
    ("umount --la\t", "umount --lazy"),
    ("small.iso fol\t", "small.iso folder"),
    ("-o nojo\t", "-o nojoliet"),
    ("-o norock,nojo\t", "-o norock,nojoliet"),
    ("-o norock,view=ud\t", "-o norock,view=udf"),
    ("-o view=ud\t", "-o view=udf"),
    ("-o dmod\t755", "-o dmode=755"),
]


@pytest.fixture(scope="module", params=completion.SHELLS)
def shell(request: pytest.FixtureRequest) -> str:
    name = str(request.param)
    assert shutil.which(name), f"{name} is missing; make test installs it"
    return name


@pytest.fixture
def folder(tmp_path: Path, shell: str) -> Path:
    """A folder with an image, a folder, and the shell's completions."""
    (tmp_path / "small.iso").touch()
    (tmp_path / "folder").mkdir()
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "isomount.cli.docs.completion", shell],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    (tmp_path / "_isomount").write_text(done.stdout)
    return tmp_path


_START = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], ". ./_isomount\nbind 'set bell-style none'"),
    "zsh": (
        ["zsh", "-f", "-i"],
        "autoload -U compinit\ncompinit -u -D\n"
        "unsetopt zle_bracketed_paste 2>/dev/null\nfpath=($PWD $fpath)\ncompinit -u -D",
    ),
}


class Terminal:
    """A shell that somebody types to. ``isomount`` only shows the words that it is given."""

    def __init__(self, shell: str, folder: Path) -> None:
        words, setup = _START[shell]
        self._pid, self._handle = pty.fork()
        if self._pid == 0:
            os.chdir(folder)
            os.execvpe(words[0], words, {**os.environ, "TERM": "dumb", "HOME": str(folder)})
        self._seen = ""
        self._count = 0
        show = """isomount() { printf '<%s>' "$*"; echo; }"""
        for line in ("PS1='# '", *setup.split("\n"), show):
            self.answer(line + "\n")

    def answer(self, typed: str) -> str:
        """What comes after ``typed`` until the shell is done with it."""
        self._count += 1
        os.write(self._handle, typed.encode())
        # The end is an expression, so that the echo of what was typed is not taken for it.
        os.write(self._handle, f"echo done-$(({self._count} + 1000))\n".encode())
        return self._until(f"done-{self._count + 1000}")

    def _until(self, end: str) -> str:
        deadline = time.monotonic() + PATIENCE
        while end not in self._seen:
            ready, _, _ = select.select([self._handle], [], [], 0.1)
            if ready:
                self._seen += os.read(self._handle, 65536).decode(errors="replace")
            assert time.monotonic() < deadline, f"no {end} in: {self._seen}"
        said, _, self._seen = self._seen.partition(end)
        return said

    def close(self) -> None:
        os.close(self._handle)
        os.waitpid(self._pid, 0)


@pytest.fixture
def terminal(shell: str, folder: Path) -> Iterator[Terminal | None]:
    """None for fish, which answers without a terminal."""
    if shell == "fish":
        yield None
        return
    terminal = Terminal(shell, folder)
    yield terminal
    terminal.close()


def fish_offers(folder: Path, line: str) -> list[str]:
    done = subprocess.run(
        ["fish", "--no-config", "-c", 'source ./_isomount; complete -C "$argv"', "--", line],
        cwd=folder,
        env={**os.environ, "HOME": str(folder)},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return [each.split("\t")[0] for each in done.stdout.splitlines()]


def test_words_by_tab(terminal: Terminal | None, folder: Path) -> None:
    for typed, meant in FIRST_WORDS:
        if terminal is None:
            line, _, rest = f"isomount {typed}".partition("\t")
            offers = fish_offers(folder, line)
            assert [each.rstrip("/") + rest for each in offers] == [meant.split(" ")[-1]], typed
        else:
            said = terminal.answer(f"isomount {typed}\n")
            assert f"<{meant}" in said, f"{typed!r} gave {said!r}"


def test_mounted_folders(
    terminal: Terminal | None, folder: Path, mounted: Mounted, small_image: Path
) -> None:
    with mounted(small_image, at=folder / "mounted-here"):
        (folder / "mounted-h-not").mkdir()
        for start in (f"{folder}/mounted-h", "mounted-h"):
            if terminal is None:
                assert fish_offers(folder, f"isomount umount {start}") == [f"{start}ere"]
                assert f"{start}ere" in fish_offers(folder, f"isomount umount small.iso {start}")
            else:
                said = terminal.answer(f"isomount umount {start}\t\n")
                assert f"<umount {start}ere" in said
                said = terminal.answer(f"isomount umount small.iso {start}\t\n")
                assert f"<umount small.iso {start}ere" in said


def test_every_verb_and_option_is_there(shell: str) -> None:
    text = completion.script(shell)
    missing = [each for each in VERBS if each not in text]
    missing += [
        option.name
        for option in TABLE.values()
        if option.target is not Target.TABLE and f"'{option.name}" not in text
    ]
    assert not missing


def test_every_name_in_a_usage_line_is_of_a_known_kind() -> None:
    for verb, parser in manual.verbs().items():
        names = {word.removesuffix("...") for word in completion.positionals(parser.usage or "")}
        # Paths in an image are nothing that a shell could know.
        assert names <= {*completion.KINDS, "PATH"}, verb


def test_names_in_usage_lines() -> None:
    assert completion.positionals(
        "isomount ls [-l] IMAGE [PATH...] [-o OPTION[,OPTION...]]..."
    ) == [
        "IMAGE",
        "PATH...",
    ]
    assert completion.positionals("isomount umount MOUNTPOINT|IMAGE|LABEL...|--all [--lazy]") == [
        "MOUNTPOINT|IMAGE|LABEL..."
    ]
