"""README names every option and every exit code, and none that does not exist."""

import re

import pytest

from isomount.cli import VERBS
from isomount.cli.docs.exit_codes import exit_codes
from isomount.cli.docs.manual import FSTAB_LINE
from isomount.cli.options.table import TABLE, Target
from isomount.cli.verbs import mount
from tests.command import CHECKOUT

README = (CHECKOUT / "README.md").read_text()


def section(title: str) -> str:
    return README.split(f"### {title}\n", 1)[1].split("\n#", 1)[0]


def named_options() -> set[str]:
    return set(re.findall(r"`(\w+)=?[^`]*`", section("Options")))


def test_every_option_is_named() -> None:
    assert {option.name for option in TABLE.values() if option.target is not Target.TABLE} <= (
        named_options()
    )


def test_every_named_option_exists() -> None:
    others = {"x", "user_allow_other"}  # "x-..." is a prefix, the other a line of fuse.conf
    assert named_options() - others <= set(TABLE)


def test_every_verb_is_named() -> None:
    usage = README.split("## The command\n", 1)[1].split("\n\n", 1)[0]
    assert set(VERBS) <= set(re.findall(r"\w+", usage))


def test_the_exit_codes_are_those_of_the_errors() -> None:
    codes = list(exit_codes())
    assert 130 in codes
    assert [int(code) for code in re.findall(r"^\| (\d+) ", section("Exit codes"), re.M)] == codes
    shown = (mount.parser().epilog or "").split("\nexit codes:\n", 1)[1]
    assert [int(code) for code in re.findall(r"^  (\d+) ", shown, re.M)] == codes


def test_the_fstab_line_is_the_manuals() -> None:
    assert f"\n    {FSTAB_LINE}\n" in section("mount(8) and /etc/fstab")


@pytest.mark.parametrize("path", re.findall(r"`((?:tests|systemd|\.ci)/[^`]*)`", README))
def test_every_path_exists(path: str) -> None:
    assert (CHECKOUT / path).exists()
