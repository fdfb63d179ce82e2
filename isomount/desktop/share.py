"""The files to install into a data directory: /usr/local/share, or a user's own.

isomount/desktop/data has the same layout, so it is the list of them, for ``isomount integrate`` and
``make install``.

``python -m isomount.desktop.share NAME COMMAND`` prints one of them, for the path of the command.
"""

import re
import sys
from collections.abc import Iterator
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable

_PLAIN_WORD = re.compile(r"[\w/.,:@+-]+", re.ASCII)
_TYPES = ("mime", "packages", "isomount.xml")
# What the desktop entry says it opens.
_OURS = "application/x-isomount-disc-image"
_ROOT = resources.files("isomount").joinpath("desktop", "data")


def data_files() -> Iterator[str]:
    """The names of the files, relative to the data directory."""
    yield from _files_in(_ROOT, "")


def content(name: str, command: str) -> str:
    """The content of the file ``name``, with ``command`` as the path of isomount."""
    text = _ROOT.joinpath(*name.split("/")).read_text(encoding="utf-8")
    if name.endswith(".desktop"):
        # Desktops ignore an entry whose TryExec does not exist.
        text = _put(text, "\nTryExec=isomount\n", f"\nTryExec={_desktop_string(command)}\n")
        word = _desktop_string(_desktop_word(command))
        return _put(text, "\nExec=isomount ", f"\nExec={word} ")
    if name.endswith(".service"):
        word = _unit_word(command)
        before = "\nExecStart=/usr/bin/env "
        return _put(text, f"{before}isomount ", f"{before}{word} ")
    return text


@cache
def image_types() -> tuple[str, ...]:
    """The types of the kinds of images that isomount opens: those below the one of its entry."""
    from xml.etree import ElementTree  # few commands need it

    root = ElementTree.fromstring(_ROOT.joinpath(*_TYPES).read_text(encoding="utf-8"))
    return tuple(
        kind.attrib["type"]
        for kind in root.iterfind("{*}mime-type")
        if kind.find(f"{{*}}sub-class-of[@type='{_OURS}']") is not None
    )


def _put(text: str, old: str, new: str) -> str:
    if old not in text:
        raise ValueError(f"no line {old.strip()!r}: it would start another isomount")
    return text.replace(old, new)


def _files_in(directory: Traversable, prefix: str) -> Iterator[str]:
    for each in sorted(directory.iterdir(), key=lambda each: each.name):
        if each.is_dir():
            yield from _files_in(each, f"{prefix}{each.name}/")
        else:
            yield prefix + each.name


def _desktop_word(word: str) -> str:
    """``word`` as an argument of Exec=, where % begins a field code.

    Quoted only if it has to be: xdg-mime and xdg-open, where no desktop is, look for the program
    with the quotes.
    """
    if _PLAIN_WORD.fullmatch(word):
        return word
    return f'"{_escaped(word, chr(92) + chr(34) + "`$").replace("%", "%%")}"'


def _desktop_string(text: str) -> str:
    """``text`` as a value of type string in a desktop entry."""
    special = {"\\": r"\\", "\n": r"\n", "\t": r"\t", "\r": r"\r"}
    return "".join(special.get(c, c) for c in text)


def _unit_word(word: str) -> str:
    """``word`` as an argument in a systemd unit."""
    doubled = word.replace("%", "%%").replace("$", "$$")
    return f'"{_escaped(doubled, chr(92) + chr(34))}"'


def _escaped(text: str, special: str) -> str:
    return "".join(f"\\{c}" if c in special else c for c in text)


if __name__ == "__main__":
    sys.stdout.write(content(sys.argv[1], sys.argv[2]))
