"""The caches that desktops read instead of entries, icons and types, and their updates."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable, Container, Iterable
from typing import NamedTuple

from isomount.programs import find_program

_APPLICATIONS = "applications"
_ICONS = "icons/hicolor"
_TYPES = "mime"
_APPLICATIONS_CACHE = "mimeinfo.cache"
_ICON_CACHE = "icon-theme.cache"
# Files that update-mime-database leaves behind when no types are left.
_TYPE_CACHES = ["XMLnamespaces", "aliases", "generic-icons", "globs", "globs2", "icons", "magic"]
_TYPE_CACHES += ["mime.cache", "subclasses", "treemagic", "types", "version"]


class _Program(NamedTuple):
    words: tuple[str, ...]
    directory: str
    package: str  # its name in Debian
    without_it: str


_PROGRAMS = (
    _Program(
        ("update-mime-database",), _TYPES, "shared-mime-info", "kinds of images are not known"
    ),
    _Program(
        ("update-desktop-database", "-q"),
        _APPLICATIONS,
        "desktop-file-utils",
        "file managers do not offer isomount",
    ),
)
# Only run where a cache exists: without one icons are looked up in the directory itself, and a new
# cache would hide the icons of programs that do not update it.
_ICON_PROGRAM = _Program(
    ("gtk-update-icon-cache", "-q", "-t", "-f"), _ICONS, "gtk-update-icon-cache", "no icon is shown"
)


def refresh(share: str, tell: Callable[[str], None], *, mind_missing: bool) -> None:
    """Update the caches in ``share``. ``tell`` is called with a sentence for each failure."""
    programs = [*_PROGRAMS]
    if os.path.exists(os.path.join(share, _ICONS, _ICON_CACHE)):
        programs.append(_ICON_PROGRAM)
    for program in programs:
        directory = os.path.join(share, program.directory)
        if os.path.isdir(directory):
            _run(program, directory, share, tell, mind_missing=mind_missing)


def clear(share: str, directories: Container[str] | None = None) -> None:
    """Remove caches that describe nothing any more.

    Only those in ``directories``, absolute paths, if given.
    """
    types, applications = os.path.join(share, _TYPES), os.path.join(share, _APPLICATIONS)
    if directories is None:
        directories = (types, applications)
    if types in directories and not _entries(os.path.join(types, "packages")):
        _unlink(types, _TYPE_CACHES)
        for kind in _entries(types):  # application/ and so on
            with contextlib.suppress(OSError):
                os.rmdir(os.path.join(types, kind))
    if applications in directories and _entries(applications) == [_APPLICATIONS_CACHE]:
        _unlink(applications, [_APPLICATIONS_CACHE])


def _run(
    program: _Program,
    directory: str,
    share: str,
    tell: Callable[[str], None],
    *,
    mind_missing: bool,
) -> None:
    path = find_program(program.words[0])
    if path is None:
        if mind_missing:
            tell(
                f"{program.words[0]} is missing, and without it {program.without_it}; "
                f"install the package {program.package}, then run this again"
            )
        return
    done = subprocess.run(
        [path, *program.words[1:], directory],
        env={**os.environ, "XDG_DATA_HOME": share},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    if done.returncode:
        said = os.fsdecode(done.stderr).strip().splitlines()
        reason = said[-1] if said else f"exit code {done.returncode}"
        tell(f"{program.words[0]} failed, and then {program.without_it}: {reason}")


def _entries(directory: str) -> list[str]:
    try:
        return os.listdir(directory)
    except OSError:
        return []


def _unlink(directory: str, names: Iterable[str]) -> None:
    for name in names:
        with contextlib.suppress(OSError):
            os.unlink(os.path.join(directory, name))


def main() -> None:
    """Entry point for ``make install`` and ``make uninstall``."""
    _, purpose, share = sys.argv
    refresh(share, lambda said: print(said, file=sys.stderr), mind_missing=purpose == "install")
    clear(share)


if __name__ == "__main__":
    main()
