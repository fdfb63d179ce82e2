"""README and docs/ name what there is, and nothing that does not exist."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from isomount.cli import VERBS
from isomount.cli.docs import reference
from isomount.cli.docs.exit_codes import exit_codes
from isomount.cli.docs.manual import FSTAB_LINE
from isomount.cli.options.table import TABLE
from isomount.cli.verbs import mount
from isomount.write.sample import write_sample
from tests.command import CHECKOUT, PATIENCE, environment
from tests.unit.test_layers import LAYERS

DOCS = CHECKOUT / "docs"
README = (CHECKOUT / "README.md").read_text()
PAGES = [*CHECKOUT.glob("*.md"), *DOCS.glob("*.md")]
PATHS = re.compile(r"`((?:isomount|tests|systemd|docs|tools|stubs|\.ci)/[^`*]*)`")
LINKS = re.compile(r"\]\(([^)]+)\)")


def name(page: Path) -> str:
    return str(page.relative_to(CHECKOUT))


def anchors(page: Path) -> set[str]:
    """What a heading is linked by, as forges make it of its words."""
    titles = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def test_the_page_of_options_is_up_to_date() -> None:
    assert (DOCS / "options.md").read_text() == reference.page(), "run make docs"


def test_it_has_every_option_and_exit_code() -> None:
    page = reference.page()
    assert set(TABLE) <= set(re.findall(r"`(\w+)[^`\n]*`", page))
    codes = [int(code) for code in re.findall(r"^\| (\d+) ", page, re.MULTILINE)]
    assert codes == list(exit_codes())
    assert 130 in codes
    shown = (mount.parser().epilog or "").split("\nexit codes:\n", 1)[1]
    assert [int(code) for code in re.findall(r"^  (\d+) ", shown, re.MULTILINE)] == codes


def test_a_cell_of_a_table_is_one() -> None:
    for line in reference.page().splitlines():
        if line.startswith("|"):
            assert len(re.findall(r"(?<!\\)\|", line)) == 3, line


def test_readme_is_short_and_names_every_verb() -> None:
    assert README.count("\n") <= 150
    usage = README.split("## The command\n\n", 1)[1].split("\n\n", 1)[0]
    assert set(VERBS) <= set(re.findall(r"\w+", usage))


def test_options_that_readme_names_exist() -> None:
    named = set(re.findall(r"`-o (\w+)`|`(\w+)=\w*`", README))
    assert {first or second for first, second in named} - {"IMAGE"} <= set(TABLE)


def test_the_fstab_line_is_the_manuals() -> None:
    assert f"\n    {FSTAB_LINE}\n" in (DOCS / "system.md").read_text()


def test_the_drawing_has_the_layers_of_the_layer_test() -> None:
    page = (DOCS / "architecture.md").read_text()
    drawing = page.split("```text\n", 1)[1].split("```", 1)[0]
    assert tuple(re.findall(r"^(\w+) ", drawing, re.MULTILINE)) == LAYERS


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_path_exists(page: Path) -> None:
    for path in PATHS.findall(page.read_text()):
        assert (CHECKOUT / path).exists(), path


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in LINKS.findall(page.read_text()):
        if link.startswith("https://"):
            continue
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_readmes_example_works(tmp_path: Path) -> None:
    write_sample(tmp_path / "disc.iso")
    (example,) = re.findall(r"^```python\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    shown = "print(text, first)\n"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", example + shown],
        env=environment(),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith(
        "A sample image, written by isomount.write.sample.\n b'A sample image, '\n"
    )
    assert (tmp_path / "copy/README.txt").read_text().startswith("A sample image")
