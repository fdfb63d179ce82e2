"""What shells complete, made by shtab from the parsers and the table of options.

``python -m isomount.cli.docs.completion bash|zsh|fish`` prints the shell's script. It needs shtab,
which the command itself does not.
"""

import argparse
import re
import sys
from collections.abc import Iterator
from importlib import resources

import shtab

from isomount.cli.docs.manual import verbs
from isomount.cli.options.arguments import Parser
from isomount.cli.options.table import TABLE, Target
from isomount.cli.verbs import mount

SHELLS = ("bash", "zsh", "fish")

# A shell's own function, by the kind of word; they are in shells/.
_OPTIONS = dict(zip(SHELLS, ("_isomount_options",) * 2 + ("(_isomount_options)",), strict=True))
_MOUNTED = dict(zip(SHELLS, ("_isomount_mounted",) * 2 + ("(_isomount_mounted)",), strict=True))

KINDS: dict[str, object] = {
    "IMAGE": shtab.FILE,
    "FILE": shtab.FILE,
    "MOUNTPOINT": shtab.DIRECTORY,
    "FOLDER": shtab.DIRECTORY,
    "MOUNTPOINT|IMAGE": _MOUNTED,
    "OPTIONS": _OPTIONS,
}


def script(shell: str) -> str:
    """The completions for ``shell``, one of SHELLS."""
    before = _ours(shell, "before").replace("@OPTIONS@", " ".join(_option_words(shell)))
    return shtab.complete(tree(), shell, preamble=before) + "\n" + _ours(shell, "after")


def tree() -> argparse.ArgumentParser:
    """The command as argparse would have it with its verbs as subcommands."""
    root = argparse.ArgumentParser("isomount", add_help=False)
    _copy_flags(mount.parser(), root)
    subcommands = root.add_subparsers()
    for name, parser in verbs().items():
        summary = re.split(r"[:.] ", (parser.description or "").replace("\n", " "))[0]
        child = subcommands.add_parser(name, add_help=False, description=summary, help=summary)
        _copy_flags(parser, child)
        for number, word in enumerate(positionals(parser.usage or "")):
            many = "*" if word.endswith("...") else None
            action = child.add_argument(f"word{number}", metavar=word, nargs=many)
            _set_kind(action, word.removesuffix("..."))
    return root


def positionals(usage: str) -> list[str]:
    """The names after the verb in a usage line: "IMAGE", "PATH..."; flags are left out."""
    rest, before = usage, ""
    while rest != before:  # brackets within brackets, from within
        rest, before = re.sub(r"\[[-,][^\[\]]*\](\.\.\.)?", "", rest), rest
    return re.findall(r"\b[A-Z]{2,}(?:\|[A-Z]+)*(?:\.\.\.)?", rest)


def _copy_flags(parser: Parser, to: argparse.ArgumentParser) -> None:
    for flag in parser.flags:
        copy = to.add_argument(
            *flag.option_strings,
            dest=flag.dest,
            help=flag.help,
            **({"action": "store_true"} if flag.nargs == 0 else {"metavar": flag.metavar}),
        )
        _set_kind(copy, str(flag.metavar))


def _set_kind(action: argparse.Action, metavar: str) -> None:
    if metavar in KINDS:
        action.complete = KINDS[metavar]  # type: ignore[attr-defined]  # shtab looks for it there


def _option_words(shell: str) -> Iterator[str]:
    """Each option, and each of its values where they are few, quoted for the shell."""
    for option in TABLE.values():
        if option.target is Target.TABLE:
            continue
        name, equals, values = option.usage.partition("=")
        for value in values.split("|") if "|" in values else [""]:
            word = f"{name}{equals}{value if value.islower() else ''}"
            # fish shows what stands behind a tab beside the word.
            yield f"'{word}\t{_fish(option.help)}'" if shell == "fish" else f"'{word}'"


def _fish(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'")


def _ours(shell: str, place: str) -> str:
    return resources.files("isomount.cli.docs").joinpath("shells", f"{place}.{shell}").read_text()


if __name__ == "__main__":
    sys.stdout.write(script(sys.argv[1]))
