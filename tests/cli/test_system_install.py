"""`make install` and `make uninstall`, into a DESTDIR and with folders of one's own."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import make
from tests.command import CHECKOUT, ORDINARY_USER, PATIENCE, environment

# Besides the folder lib/isomount, which is isomount's as a whole.
FILES = """
    bin/isomount
    lib/systemd/system/isomount@.service
    lib/systemd/user/isomount@.service
    lib/udev/rules.d/99-isomount.rules
    share/applications/isomount.desktop
    share/bash-completion/completions/isomount
    share/fish/vendor_completions.d/isomount.fish
    share/icons/hicolor/scalable/apps/isomount.svg
    share/man/man1/isomount.1
    share/metainfo/isomount.metainfo.xml
    share/mime/packages/isomount.xml
    share/zsh/site-functions/_isomount
"""
OWN = """
    lib/isomount/mount.isomount
    lib/isomount/readahead
"""


def files_in(folder: Path) -> set[str]:
    found = (path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir())
    return {str(path.relative_to(folder)) for path in found}


def test_what_is_where(installed: Path) -> None:
    packages = "usr/local/lib/isomount/packages/"
    found = {path for path in files_in(installed) if not path.startswith(packages)}
    expected = {f"usr/local/{path}" for path in (FILES + OWN).split()}
    assert found == expected | {"sbin/mount.isomount"}
    assert (installed / "sbin/mount.isomount").readlink() == Path(
        "/usr/local/lib/isomount/mount.isomount"
    )
    assert (installed / packages / "isomount/cli/__init__.py").exists()
    assert list((installed / "etc/isomount").iterdir()) == []


def test_it_is_for_everybody(installed: Path) -> None:
    for path in installed.rglob("*"):
        mode = path.lstat().st_mode
        assert mode & 0o444 == 0o444, path
        assert not path.is_dir() or mode & 0o111 == 0o111, path
        assert path.is_symlink() or mode & 0o022 == 0, path
    for name in ("bin/isomount", "lib/isomount/mount.isomount", "lib/isomount/readahead"):
        assert (installed / "usr/local" / name).stat().st_mode & 0o111 == 0o111


def test_nothing_in_it_names_the_place_of_the_building(installed: Path) -> None:
    for name in [*FILES.split(), *OWN.split()]:
        text = (installed / "usr/local" / name).read_text()
        assert str(installed) not in text, name
        assert str(CHECKOUT) not in text, name


@pytest.mark.parametrize("user", [False, True])
def test_the_installed_command(
    installed: Path, small_image: Path, user_folder: Path, user: bool
) -> None:
    """In place, without an environment, by anybody: mount, read, unmount."""
    image = user_folder / "small.iso"
    image.write_bytes(small_image.read_bytes())
    ids = f"setpriv --reuid={ORDINARY_USER} --regid={ORDINARY_USER} --clear-groups env -i"
    alone = ids if user else "env -i"
    run = f"{alone} /usr/local/bin/isomount"
    script = (
        f"set -e; mount --bind {installed}/usr/local /usr/local; {run} -V; "
        f"{run} {image}; {alone} /bin/cat {user_folder}/small/readme.txt; {run} umount {image}; "
        f"! ls {user_folder}/small 2>/dev/null"
    )
    done = subprocess.run(
        ["unshare", "-m", "--propagation", "private", "sh", "-c", script],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
        cwd="/",
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "hello\n" in done.stdout


@pytest.fixture
def stocked(tmp_path: Path) -> Path:
    """A place with files of somebody else's in the folders that isomount uses too."""
    for name in ("opt/i/bin/other", "opt/i/share/man/man1/other.1", "opt/i/lib/other/isomount"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("other\n")
    for name in ("sbin", "etc"):
        (tmp_path / name).mkdir()
    return tmp_path


@pytest.mark.timeout(300)
def test_uninstall_removes_exactly_that(stocked: Path) -> None:
    """Without DESTDIR: what desktops read instead of the files is made, and taken away, as well."""
    before, prefix = files_in(stocked), stocked / "opt/i"
    words = [f"prefix={prefix}", f"bindir={prefix}/tools", f"helperdir={stocked}/sbin"]
    words.append(f"sysconfdir={stocked}/etc")
    done = make("install", *words)
    assert done.returncode == 0, done.stderr
    assert (prefix / "tools/isomount").exists()
    unit = (prefix / "lib/systemd/system/isomount@.service").read_text()
    assert f"\nExecStart={prefix}/tools/isomount -f " in unit
    assert f"\nEnvironmentFile={stocked}/etc/isomount/%i.conf\n" in unit
    assert (stocked / "etc/isomount").is_dir()
    unit = (prefix / "lib/systemd/user/isomount@.service").read_text()
    assert f'\nExecStart=/usr/bin/env "{prefix}/tools/isomount" -f %f\n' in unit
    rule = (prefix / "lib/udev/rules.d/99-isomount.rules").read_text()
    assert f'"{prefix}/lib/isomount/readahead %k"' in rule
    entry = (prefix / "share/applications/isomount.desktop").read_text()
    assert f"\nExec={prefix}/tools/isomount open %f\n" in entry
    assert "isomount.desktop" in (prefix / "share/applications/mimeinfo.cache").read_text()
    assert "*.nrg" in (prefix / "share/mime/globs").read_text()
    done = make("uninstall", *words)
    assert done.returncode == 0, done.stderr
    assert files_in(stocked) == before
    assert not (prefix / "lib/isomount").exists()
    assert not (stocked / "etc/isomount").exists()
    done = make("uninstall", *words)  # there is nothing left to remove
    assert (done.returncode, done.stderr) == (0, "")


def test_uninstall_goes_on_without_the_caches(stocked: Path) -> None:
    """What is installed does not run any more: all of it goes all the same."""
    before, prefix = files_in(stocked), stocked / "opt/i"
    place = [f"prefix={prefix}", f"sysconfdir={stocked}/etc", f"helperdir={stocked}/sbin"]
    (prefix / "lib/isomount").mkdir()
    (prefix / "bin/isomount").write_text("#!/bin/false -I\n")
    (stocked / "sbin/mount.isomount").symlink_to(prefix / "lib/isomount/mount.isomount")
    done = make("uninstall", *place)
    assert done.returncode == 0, done.stderr
    assert "caches in" in done.stdout
    assert "were not renewed" in done.stdout
    assert files_in(stocked) == before
    assert not (prefix / "lib/isomount").exists()


def test_uninstall_from_a_destdir(installed: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(installed, copy, symlinks=True, copy_function=os.link)
    done = make("uninstall", f"DESTDIR={copy}")
    assert (done.returncode, done.stderr) == (0, "")
    assert files_in(copy) == set()


def test_uninstall_leaves_a_helper_that_is_not_ours(stocked: Path) -> None:
    (stocked / "sbin/mount.isomount").symlink_to("/opt/another/mount.isomount")
    before = files_in(stocked)
    assert make("uninstall", f"DESTDIR={stocked}", "prefix=/opt/i").returncode == 0
    assert files_in(stocked) == before


def test_man_finds_the_page(installed: Path) -> None:
    done = subprocess.run(
        ["man", "-w", "isomount"],
        env=environment({"MANPATH": str(installed / "usr/local/share/man")}),
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert done.stdout == f"{installed}/usr/local/share/man/man1/isomount.1\n"
    assert os.path.getsize(done.stdout[:-1]) > 0
