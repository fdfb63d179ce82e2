"""``isomount integrate``: install desktop entries and completions for one user."""

import os
import shlex
import shutil
import sys
from collections.abc import Sequence

from isomount.cli.options.arguments import Parser
from isomount.cli.terminal.output import finish, put
from isomount.cli.terminal.words import say
from isomount.desktop import caches, defaults, placing
from isomount.desktop.placing import Fate, Outcome
from isomount.desktop.share import content, data_files
from isomount.errors import IsomountError
from isomount.text import one_line

_USAGE = "isomount integrate [--default | --remove]"
_DESCRIPTION = """Make your desktop and your shells know isomount, when it came by pipx.

Puts an entry for "Open With", names of image types, an icon, this manual, completions for bash, zsh
and fish, and a systemd unit into your own folders ($XDG_DATA_HOME, else ~/.local/share). What opens
images by a double click still does, unless --default asks for that place; --remove gives it back. A
file that is there already and is not isomount's, or that you changed, is left as it is."""
_EXAMPLES = """examples:
  isomount integrate               after pipx install, and after each upgrade
  isomount integrate --default     and have a double click on an image mount it
  isomount integrate --remove      before pipx uninstall: take all of it away again
"""
_FUNCTIONS_OF_ZSH = "zsh/site-functions"


def run(words: Sequence[str]) -> int:
    """Run the verb. Returns the exit code; raises IsomountError."""
    flags, _ = parser().parse(words, names_at_most=0)
    if os.geteuid() == 0:
        raise IsomountError(
            "integrate is for the own folders of an ordinary user: run it as the one whose desktop "
            "it is; for everybody, root runs make install in isomount's sources"
        )
    share = _share_directory()
    if flags.remove:
        _remove(share)
    else:
        _place(share)
        _tell_default(defaults.become_default() if flags.default else None)
    finish()
    return 0


def parser() -> Parser:
    """The parser, also for the manual and the shell completions."""
    parser = Parser("isomount integrate", _DESCRIPTION, _EXAMPLES, _USAGE)
    either = parser.add_mutually_exclusive_group()
    either.add_argument(
        "--default", action="store_true", help="a double click on an image mounts it from now on"
    )
    either.add_argument("--remove", action="store_true", help="take away what it has placed")
    return parser


def own_command() -> str:
    """The absolute path of this isomount, as desktops may not have its directory in PATH.

    Raises IsomountError.
    """
    started = os.path.abspath(sys.argv[0])
    beside = os.path.join(os.path.dirname(sys.executable), "isomount")
    for candidate in (started, beside, "isomount"):
        if os.path.basename(candidate) == "isomount" and (path := shutil.which(candidate)):
            return os.path.abspath(path)
    raise IsomountError(
        "a desktop needs a command to start, and PATH leads to no isomount; install it with pipx"
    )


def _place(share: str) -> None:
    outcomes = placing.place(share, _files())
    caches.refresh(share, say, mind_missing=True)
    _tell(outcomes, "remove it and run this again to get isomount's")
    if shutil.which("zsh"):
        functions = os.path.join(share, _FUNCTIONS_OF_ZSH)
        line = f"fpath+=({shlex.quote(functions)})"
        put(f"zsh finds its completions with this line before compinit in ~/.zshrc: {line}")


def _remove(share: str) -> None:
    outcomes = placing.remove(share)
    if any(fate is Fate.REMOVED for fate, _ in outcomes):
        caches.refresh(share, say, mind_missing=False)
    caches.clear(share, placing.read_record(share).directories)
    placing.forget(share)
    _tell(outcomes, "remove it yourself if it is of no use")
    given_back = defaults.give_back()
    if given_back:
        put("a double click on an image starts what it did before")
    if not outcomes and not given_back:
        put("there is nothing of isomount to remove")


def _tell_default(path: str | None) -> None:
    """Say that isomount has become the default, in the file ``path``, or how it does."""
    if path is not None:
        put(f"a double click on an image mounts it from now on, by {one_line(path)}")
    elif not defaults.is_default():
        put("to mount images by a double click: isomount integrate --default")


def _tell(outcomes: Sequence[Outcome], remedy: str) -> None:
    for fate, path in outcomes:
        if fate is Fate.LEFT:
            say(f"{path}: is not isomount's or was changed, and is left as it is; {remedy}")
        else:
            put(f"{fate.value} {one_line(path)}")


def _share_directory() -> str:
    """The user's data directory, according to the XDG Base Directory Specification."""
    named = os.environ.get("XDG_DATA_HOME", "")
    if os.path.isabs(named):  # the specification says to ignore relative paths
        return os.path.normpath(named)
    home = os.environ.get("HOME", "")
    if not os.path.isabs(home):
        raise IsomountError(
            "there is no folder of yours to put files in: neither HOME nor XDG_DATA_HOME is set; "
            "set one of them"
        )
    return os.path.join(os.path.normpath(home), ".local/share")


def _files() -> dict[str, bytes]:
    """The content of every file to install, by its name relative to the data directory."""
    command = own_command()
    # The Desktop Entry Specification forbids "="; GIO does not find programs with "%".
    if {"=", "%"} & set(command) or not command.isprintable():
        raise IsomountError(
            f"{command}: desktops do not start a command whose path has =, % or unprintable "
            "characters in it; install isomount elsewhere"
        )
    texts = {name: content(name, command) for name in data_files()}
    return {name: text.encode() for name, text in (texts | _manual() | _completions()).items()}


def _manual() -> dict[str, str]:
    from isomount.cli.docs import manual  # imports every verb, including this one

    return {"man/man1/isomount.1": manual.page()}


def _completions() -> dict[str, str]:
    try:
        from isomount.cli.docs.completion import script
    except ImportError:
        say(
            "no completions for shells, as the Python package shtab is missing; install it with: "
            "pipx inject isomount shtab, and run this again"
        )
        return {}
    return {
        "bash-completion/completions/isomount": script("bash"),
        "fish/vendor_completions.d/isomount.fish": script("fish"),
        f"{_FUNCTIONS_OF_ZSH}/_isomount": script("zsh"),
    }
