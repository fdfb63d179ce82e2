"""The program that a double click on an image starts: mimeapps.list in the user's configuration.

The line of a type lists programs in order of preference ("MIME applications associations",
freedesktop.org). isomount is put first and the others stay behind it, so that giving the place back
is taking one name out, whatever was chosen meanwhile. All other lines are kept as they are.
"""

import contextlib
import os
from collections.abc import Callable, Iterator

from isomount.desktop import files
from isomount.desktop.share import image_types
from isomount.errors import IsomountError

PROGRAM = "isomount.desktop"
_LIST = "mimeapps.list"
_SECTION = "[Default Applications]"


def is_default() -> bool:
    """Whether isomount has been made the program for a kind of images."""
    path = _list_path()
    try:
        lines = _read(path) if path else []
    except OSError:
        return False  # a desktop cannot read it either
    return any(_programs(line)[:1] == [PROGRAM] for line, kind in _entries(lines) if kind)


def become_default() -> str:
    """Make isomount the program for images. Returns the file that says so.

    Raises IsomountError.
    """
    path = _list_path()
    if path is None:
        raise IsomountError(
            "there is no folder of yours for what is opened by what: neither HOME nor "
            "XDG_CONFIG_HOME is set; set one of them"
        )
    with contextlib.ExitStack() as undo, files.told(path, "XDG_CONFIG_HOME"):
        list(files.make_directories(os.path.dirname(path), undo.callback))
        _edit(path, _with_us)
        undo.pop_all()
    return path


def give_back() -> bool:
    """Take isomount's name out again. Returns whether it was there. Raises IsomountError."""
    path = _list_path()
    if path is None:
        return False
    with files.told(path, "XDG_CONFIG_HOME"):
        return _edit(path, _without_us)


def _list_path() -> str | None:
    """The user's mimeapps.list; None if there is no place for it."""
    named, home = os.environ.get("XDG_CONFIG_HOME", ""), os.environ.get("HOME", "")
    if not os.path.isabs(named):  # the specification says to ignore relative paths
        if not os.path.isabs(home):
            return None
        named = os.path.join(home, ".config")
    return os.path.join(named, _LIST)


def _read(path: str) -> list[str]:
    return (files.read(path) or b"").decode("utf-8", "surrogateescape").split("\n")


def _edit(path: str, change: Callable[[list[str]], list[str]]) -> bool:
    """Apply ``change`` to the lines of the file. Returns whether it changed anything."""
    lines = _read(path)
    after = change(lines)
    if after == lines:
        return False
    if any(after) or os.path.islink(path):
        text = "\n".join(after)
        files.replace(os.path.realpath(path), text.encode("utf-8", "surrogateescape"))
        return True
    os.unlink(path)  # it was made for us
    with contextlib.suppress(OSError):  # there is more in it
        os.rmdir(os.path.dirname(path))
    return True


def _with_us(lines: list[str]) -> list[str]:
    """``lines`` with isomount first for every kind of images."""
    others = {kind: _programs(line) for line, kind in _entries(lines) if kind}
    ours = {
        kind: f"{kind}={';'.join([PROGRAM, *_without(others.get(kind, []))])};"
        for kind in image_types()
    }
    changed = [ours.pop(kind, line) if kind else line for line, kind in _entries(lines)]
    if _SECTION not in map(str.strip, changed):
        changed[-1:] = [_SECTION, changed[-1]]  # before what follows the last line's end
    at = 1 + list(map(str.strip, changed)).index(_SECTION)
    return [*changed[:at], *ours.values(), *changed[at:]]


def _without_us(lines: list[str]) -> list[str]:
    """``lines`` without isomount; what it leaves empty is left out."""
    changed = []
    for line, kind in _entries(lines):
        programs = _programs(line) if kind else []
        if PROGRAM not in programs:
            changed.append(line)
        elif others := _without(programs):
            changed.append(f"{kind}={';'.join(others)};")
    if changed != lines and changed[-2:] == [_SECTION, ""]:
        del changed[-2]
    return changed


def _entries(lines: list[str]) -> Iterator[tuple[str, str | None]]:
    """Each line, with the kind of images whose default it says, or None."""
    section, kinds = "", image_types()
    for line in lines:
        if line.startswith("["):
            section = line.strip()
        name = line.partition("=")[0].strip()
        yield line, name if section == _SECTION and name in kinds else None


def _programs(line: str) -> list[str]:
    return [each for each in line.partition("=")[2].strip().split(";") if each]


def _without(programs: list[str]) -> list[str]:
    return [each for each in programs if each != PROGRAM]
