"""isomount integrate: what it puts into a home, that it is found there, and that it goes again."""

import os
import shutil
import socket
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from isomount.desktop.share import data_files
from tests.cli.gio import Gio
from tests.cli.words import assert_failed
from tests.command import (
    CHECKOUT,
    ORDINARY_USER,
    PATIENCE,
    as_ordinary_user,
    environment,
    is_mounted,
    run,
    wait_until,
)

COMPLETIONS = """
    bash-completion/completions/isomount
    fish/vendor_completions.d/isomount.fish
    zsh/site-functions/_isomount
"""
LOOKING = ("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search")
OTHERS_ENTRY = """[Desktop Entry]
Type=Application
Name=Other
Exec=/bin/true %f
MimeType=application/x-nrg;
"""
FILES = sorted([*data_files(), "man/man1/isomount.1", *COMPLETIONS.split()])


def own(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        os.chown(path, ORDINARY_USER, ORDINARY_USER, follow_symlinks=False)


def tree(folder: Path) -> dict[str, bytes]:
    """Everything in ``folder``, folders too."""
    return {
        str(path.relative_to(folder)): b"" if path.is_dir() else path.read_bytes()
        for path in folder.rglob("*")
    }


def read(path: Path) -> str:
    return path.read_text() if path.exists() else ""


class Home(Gio):
    """An ordinary user's home and command, in the place that pipx has for it."""

    @property
    def command(self) -> Path:
        return self.home / ".local/bin/isomount"

    def isomount(self, *words: str | Path, **env: str) -> "subprocess.CompletedProcess[str]":
        return self.starts(self.command, *words, **env)

    def starts(self, *words: str | Path, **env: str) -> "subprocess.CompletedProcess[str]":
        """Run a program, which finds the checkout's isomount."""
        return subprocess.run(
            [*self.prefix, *map(str, words)],
            env=environment({**self.env, **env}),
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )

    def integrate(self, *words: str, **env: str) -> list[str]:
        """Its lines but the one for zsh."""
        done = self.isomount("integrate", *words, **env)
        assert (done.returncode, done.stderr) == (0, "")
        return [line for line in done.stdout.splitlines() if not line.startswith("zsh ")]


@pytest.fixture
def home(user_folder: Path) -> Home:
    home = Home(user_folder / "home", user_folder / "system", as_ordinary_user())
    (user_folder / "system").mkdir()
    home.command.parent.mkdir(parents=True)
    home.command.write_text(
        f"#!{sys.executable} -Werror\nimport sys\nfrom isomount.cli import main\nsys.exit(main())\n"
    )
    home.command.chmod(0o755)
    own(user_folder)
    return home


def test_there_and_away_again(home: Home) -> None:
    before = tree(home.home)
    said = home.integrate()
    assert sorted(said) == [f"placed {home.share / name}" for name in FILES]
    for name in FILES:
        status = (home.share / name).stat()
        assert (status.st_uid, status.st_mode & 0o777) == (ORDINARY_USER, 0o644)
    entry = (home.share / "applications/isomount.desktop").read_text()
    assert f'\nExec="{home.command}" open %f\n' in entry
    between = tree(home.home)
    assert sorted(home.integrate()) == [f"unchanged {home.share / name}" for name in FILES]
    assert tree(home.home) == between
    said = home.integrate("--remove")
    assert sorted(said) == [f"removed {home.share / name}" for name in FILES]
    assert tree(home.home) == before
    assert home.integrate("--remove") == ["there is nothing of isomount to remove"]
    assert tree(home.home) == before


def test_in_a_home_with_everything(home: Home) -> None:
    """What others have put into the same folders, and what is made from it, is all there still."""
    for name in [*FILES, "icons/hicolor/scalable/apps/other.svg"]:
        other = (home.share / name).with_name("other" + Path(name).suffix)
        if not other.exists() and not name.startswith("mime/"):
            other.parent.mkdir(parents=True, exist_ok=True)
            other.write_text(OTHERS_ENTRY if name.startswith("applications/") else "other\n")
    (home.share / "mime/packages").mkdir(parents=True)
    types = CHECKOUT / "isomount/desktop/data/mime/packages/isomount.xml"
    others = types.read_text().replace("isomount", "other").replace(".nrg", ".other")
    (home.share / "mime/packages/other.xml").write_text(others)
    own(home.home)
    home.run("update-mime-database", home.share / "mime")
    home.run("update-desktop-database", home.share / "applications")
    home.run("gtk-update-icon-cache", "-q", "-t", home.share / "icons/hicolor")
    cache = home.share / "icons/hicolor/icon-theme.cache"
    before = tree(home.home)
    home.integrate()
    assert b"isomount" in cache.read_bytes()
    home.integrate("--remove")
    assert b"isomount" not in cache.read_bytes()
    after = tree(home.home)
    assert after.keys() == before.keys()
    changed = {name for name, data in before.items() if after[name] != data}
    assert changed <= {str(cache.relative_to(home.home))}  # the order in it may be another


def test_the_desktop_opens_an_image_by_it(home: Home, small_image: Path, fuse: None) -> None:
    image = home.home / "small.iso"
    image.write_bytes(small_image.read_bytes())
    opened, opener = home.home / "opened", home.command.with_name("xdg-open")
    opener.write_text(f'#!/bin/sh\necho "$@" >{opened}\n')
    opener.chmod(0o755)
    own(home.home)
    home.integrate()
    # GIO starts the command, whose Python may lie in root's home: the user may look things up.
    home.prefix += tuple(word for word in LOOKING if word not in home.prefix)
    kind = home.type_of(image)
    assert home.programs_for(kind) == ["isomount.desktop"]
    with socket.socket(socket.AF_UNIX) as display:
        display.bind(str(home.home / "display"))
        display.listen()
        own(home.home)
        home.more = {
            "PYTHONPATH": str(CHECKOUT),
            "XDG_STATE_HOME": "/dev/null",
            "PATH": f"{opener.parent}:{os.environ['PATH']}",
            "DISPLAY": "",
            "WAYLAND_DISPLAY": display.getsockname(),
            "XDG_RUNTIME_DIR": str(home.home / "none"),
        }
        home.run("gio", "launch", home.share / "applications/isomount.desktop", image)
        wait_until("the file manager was opened", lambda: read(opened) != "")
    place = Path(opened.read_text()[:-1])
    assert is_mounted(place)
    assert run("umount", image, user=True, env=home.env).returncode == 0
    assert not is_mounted(place)


@pytest.mark.parametrize("is_beside", [True, False])
def test_the_command_of_a_module(home: Home, is_beside: bool) -> None:
    """``python -m isomount`` has no name: what lies beside that Python, or in PATH, is taken."""
    beside, in_path = home.home / "python/isomount", home.home / "programs/isomount"
    for command in (beside, in_path):
        command.parent.mkdir()
        shutil.copy(home.command, command)
    if not is_beside:
        beside.unlink()
    # One of the user's own: what lies beside that of the tests the user may not be able to see.
    python = beside.with_name("python")
    python.symlink_to(os.path.realpath(sys.executable))
    own(home.home)
    done = home.starts(
        *(python, "-Werror", "-m", "isomount", "integrate"),
        XDG_DATA_HOME="relative, so of no use",
        PATH=f"{in_path.parent}:{os.environ['PATH']}",
        PYTHONPATH=f"{CHECKOUT}:{sysconfig.get_path('platlib')}",
    )
    assert (done.returncode, done.stderr) == (0, "")
    entry = (home.share / "applications/isomount.desktop").read_text()
    assert f'\nExec="{beside if is_beside else in_path}" open %f\n' in entry
    said = home.integrate()  # by a command of that name
    assert [line for line in said if line.startswith("placed")] == [
        f"placed {home.share}/applications/isomount.desktop",
        f"placed {home.share}/systemd/user/isomount@.service",
    ]


def test_shells_find_their_completions(home: Home) -> None:
    home.integrate()
    home.more = {"PATH": f"{home.command.parent}:{os.environ['PATH']}"}
    load = ". /usr/share/bash-completion/bash_completion; _completion_loader isomount"
    said = home.run("bash", "--norc", "-c", f"{load}; complete -p isomount")
    assert said.endswith(" isomount\n")
    said = home.run("fish", "-c", "complete -C 'isomount integ'")
    assert said.startswith("integrate\t")
    line = home.isomount("integrate").stdout.partition("in ~/.zshrc: ")[2]
    said = home.run("zsh", "-f", "-c", f"{line}autoload -U compinit; compinit -u -D; print $_comps")
    assert "_isomount" in said.split()


def test_man_and_systemd_find_theirs(home: Home) -> None:
    home.integrate()
    home.more = {"PATH": f"{home.command.parent}:{os.environ['PATH']}", "XDG_RUNTIME_DIR": "/tmp"}
    assert home.run("man", "-w", "isomount") == f"{home.share}/man/man1/isomount.1\n"
    said = home.run("systemd-analyze", "--user", "unit-paths").splitlines()
    assert str(home.share / "systemd/user") in said


def test_what_is_not_ours_is_left(home: Home) -> None:
    entry = home.share / "applications/isomount.desktop"
    entry.parent.mkdir(parents=True)
    entry.write_text(OTHERS_ENTRY)
    own(home.home)
    before = tree(home.home)
    done = home.isomount("integrate")
    assert (done.returncode, done.stderr) == (
        0,
        f"isomount: {entry}: is not isomount's or was changed, and is left as it is; remove it and "
        "run this again to get isomount's\n",
    )
    assert done.stdout.count("placed ") == len(FILES) - 1
    assert len(home.integrate("--remove")) == len(FILES) - 1
    after = tree(home.home)
    after.pop(".local/share/applications/mimeinfo.cache")  # that entry's by now
    assert after == before


def test_what_was_changed_is_left(home: Home) -> None:
    home.integrate()
    entry = home.share / "applications/isomount.desktop"
    text = entry.read_text().replace("Name=Mount", "Name=My own: mount")
    entry.write_text(text)
    done = home.isomount("integrate")
    assert f"{entry}: is not isomount's or was changed" in done.stderr
    assert entry.read_text() == text
    done = home.isomount("integrate", "--remove")
    assert (done.returncode, done.stderr.count("\n")) == (0, 1)
    assert f"{entry}: is not isomount's or was changed" in done.stderr
    assert entry.read_text() == text
    left = [path for path in home.share.rglob("*") if not path.is_dir()]
    assert set(left) == {entry, entry.with_name("mimeinfo.cache")}


@pytest.mark.parametrize("there", [False, True])
def test_a_link_is_left(home: Home, there: bool) -> None:
    """Also one that leads nowhere now: what it will lead to is not ours."""
    entry, kept = home.share / "applications/isomount.desktop", home.home / "dotfiles.desktop"
    entry.parent.mkdir(parents=True)
    entry.symlink_to(kept)
    if there:
        kept.write_text(OTHERS_ENTRY)
    own(home.home)
    done = home.isomount("integrate")
    assert f"{entry}: is not isomount's or was changed" in done.stderr
    assert entry.readlink() == kept
    assert kept.exists() == there
    home.integrate("--remove")
    assert entry.readlink() == kept


def test_a_link_in_the_place_of_ours_is_left(home: Home) -> None:
    """The same content, but moved: the link is not what was placed."""
    home.integrate()
    entry, kept = home.share / "applications/isomount.desktop", home.home / "dotfiles.desktop"
    entry.rename(kept)
    entry.symlink_to(kept)
    done = home.isomount("integrate", "--remove")
    assert f"{entry}: is not isomount's or was changed" in done.stderr
    assert entry.readlink() == kept


def test_nothing_is_left_half_done(home: Home) -> None:
    """The last of the files cannot be placed: the others are taken back, and a replaced one is."""
    home.integrate()
    (home.share / "zsh/site-functions/_isomount").unlink()
    (home.share / "zsh/site-functions").rmdir()
    shutil.rmtree(home.share / "icons")
    (home.share / "zsh/site-functions").write_text("in the way")
    other = home.home / "other/isomount"  # for which the entry would be another
    other.parent.mkdir()
    shutil.copy(home.command, other)
    own(other.parent)
    before = tree(home.home)
    done = home.starts(other, "integrate")
    said = f"{home.share}/zsh/site-functions/_isomount: Not a directory; move away the file"
    assert_failed(done, 1, said)
    assert tree(home.home) == before


def test_a_folder_that_cannot_be_written(home: Home) -> None:
    home.share.mkdir()
    before = tree(home.home)
    assert_failed(home.isomount("integrate"), 1, f"{home.share}/applications: Permission denied")
    (home.share / "applications").mkdir()
    assert_failed(home.isomount("integrate"), 1, f"{home.share}/applications: Permission denied")
    (home.share / "applications").rmdir()
    assert tree(home.home) == before


def test_no_home(home: Home) -> None:
    done = home.isomount("integrate", HOME="", XDG_DATA_HOME="")
    assert_failed(done, 1, "neither HOME nor XDG_DATA_HOME is set; set one of them")


def test_root_is_told_another_way(as_root: None, tmp_path: Path) -> None:
    for words in (["integrate"], ["integrate", "--remove"]):
        done = run(*words, env={"HOME": str(tmp_path)})
        assert_failed(done, 1, "for everybody, root runs make install")
    assert list(tmp_path.iterdir()) == []


def test_a_path_that_desktops_do_not_start(home: Home) -> None:
    folder = home.home / "100%"
    folder.mkdir()
    odd = shutil.copy(home.command, folder / "isomount")
    own(home.home)
    done = home.starts(odd, "integrate")
    assert_failed(done, 1, "desktops do not start a command whose path has =, %")
    assert not home.share.exists()


@pytest.mark.parametrize(
    ("program", "package"),
    [
        ("update-desktop-database", "desktop-file-utils"),
        ("update-mime-database", "shared-mime-info"),
    ],
)
def test_missing_programs_are_told(home: Home, program: str, package: str) -> None:
    hide = 'mount --bind /dev/null "$(command -v "$0")" && exec "$@"'
    home.prefix = ("unshare", "-m", "sh", "-c", hide, program, *home.prefix)
    done = home.isomount("integrate")
    assert done.returncode == 0
    assert done.stdout.count("placed ") == len(FILES)
    assert done.stderr.startswith(f"isomount: {program} is missing, and without it ")
    assert f"install the package {package}, then run this again\n" in done.stderr
    assert done.stderr.count("\n") == 1


def test_without_shtab(home: Home, user_folder: Path) -> None:
    """pipx install without the extra: what is left is placed."""
    (user_folder / "shtab.py").write_text("raise ImportError('hidden')\n")
    done = home.isomount("integrate", PYTHONPATH=f"{user_folder}:{CHECKOUT}")
    assert done.returncode == 0
    assert done.stderr.startswith(
        "isomount: no completions for shells, as the Python package shtab"
    )
    assert done.stdout.count("placed ") == len(FILES) - len(COMPLETIONS.split())
