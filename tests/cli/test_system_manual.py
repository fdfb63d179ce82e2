"""The manual page: made from the parsers, so here only that it has everything and reads well."""

import re
import subprocess
import sys

import pytest

from isomount.cli import VERBS
from isomount.cli.docs import manual
from isomount.cli.docs.exit_codes import exit_codes
from isomount.cli.options.parse import parse_options
from isomount.cli.options.table import TABLE
from isomount.cli.verbs import mount, mount8
from isomount.errors import IsomountError
from tests.command import PATIENCE, environment

_FOLDED = re.compile(r"\s+")


@pytest.fixture(scope="module")
def shown() -> str:
    """The page as man(1) shows it, without a word of complaint by groff, its blanks folded."""
    done = subprocess.run(
        ["man", "--warnings=w", "--no-hyphenation", "--no-justification", "-l", "-"],
        input=manual.page(),
        env=environment({"MANWIDTH": "200", "LC_ALL": "C.UTF-8", "MAN_KEEP_FORMATTING": ""}),
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return _FOLDED.sub(" ", done.stdout)


def test_every_option(shown: str) -> None:
    assert [name for name, option in TABLE.items() if option.usage not in shown] == []


def test_every_verb_and_flag(shown: str) -> None:
    parsers = {**manual.verbs(), "": mount.parser(), " ": mount8.parser()}
    flags = {
        word for each in parsers.values() for flag in each.flags for word in flag.option_strings
    }
    assert [flag for flag in flags if flag not in shown] == []
    assert [verb for verb in VERBS if f"isomount {verb}" not in shown] == []


def test_every_usage_line(shown: str) -> None:
    for verb, parser in manual.verbs().items():
        assert _FOLDED.sub(" ", parser.usage or "-") in shown, verb


def _all_errors(kind: type[IsomountError]) -> set[type[IsomountError]]:
    return {kind}.union(*map(_all_errors, kind.__subclasses__()))


def test_every_exit_code(shown: str) -> None:
    codes = {each.exit_code for each in _all_errors(IsomountError)} | {0, 130}
    assert codes == set(exit_codes())
    for code, meaning in exit_codes().items():
        assert f" {code} {_FOLDED.sub(' ', meaning)}" in shown


def test_the_fstab_line_is_one_that_is_understood(shown: str) -> None:
    assert manual.FSTAB_LINE in shown
    source, place, kind, options, dump, check = manual.FSTAB_LINE.split()
    assert (kind, dump, check) == ("isomount", "0", "0")
    assert (source.startswith("/"), place.startswith("/")) == (True, True)
    parse_options([options])  # raises for a word that is not an option


def test_roffs_own_characters_are_literal(shown: str) -> None:
    assert "written \\," in shown
    assert "written \\040" in shown
    assert "~/disc.iso" in shown


def test_nothing_is_lost_without_docstrings() -> None:
    """Words for users are data: python -OO leaves out docstrings and asserts."""
    for words in (["isomount", "--help"], ["isomount.cli.docs.manual"]):
        whole, stripped = (
            subprocess.run(
                [sys.executable, *flags, "-m", *words],
                env=environment(),
                capture_output=True,
                check=True,
                timeout=PATIENCE,
            ).stdout
            for flags in ([], ["-OO"])
        )
        assert stripped == whole
        assert b"Another failure." in whole
