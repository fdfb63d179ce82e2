"""The report: tables in Markdown, and their places in docs/benchmark.md and README."""

from pathlib import Path

from tests.benchmarks import kinds
from tests.benchmarks.results import ISOMOUNT, Cell, Results, Row
from tests.benchmarks.targets import TARGETS, duration, times

BEGIN = "<!-- benchmark: written by make bench -->"
END = "<!-- benchmark: end -->"
README_ROWS = ("mount-100000.cold", "find.warm", "find-size.cold", "tar.cold", "big-128.cold")


class Footnotes:
    """Reasons, each numbered once."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def mark(self, reason: str) -> str:
        """The mark that stands for ``reason``."""
        return f"<sup>{self._numbers.setdefault(reason, len(self._numbers) + 1)}</sup>"

    def lines(self) -> list[str]:
        """All reasons, by their numbers."""
        return [f"{number}. {reason}" for reason, number in self._numbers.items()]


def render(results: Results) -> str:
    """The whole report."""
    notes = Footnotes()
    parts = [_facts(results), _seconds_table(results, notes)]
    if footnotes := notes.lines():
        parts.append("\n".join(footnotes))
    parts += [_targets_table(results), _usage_table(results)]
    return "\n\n".join(parts) + "\n"


def for_page(results: Results) -> str:
    """The part of the report that docs/benchmark.md shows."""
    notes = Footnotes()
    parts = [_facts(results), _seconds_table(results, notes), "\n".join(notes.lines())]
    return "\n\n".join(filter(None, [*parts, _targets_table(results)]))


def for_readme(results: Results) -> str:
    """The few rows that README shows, of isomount and the other FUSE programs."""
    names = [ISOMOUNT, *results.rivals]
    lines = [_line("", names), _line("---", ["---:"] * len(names))]
    for row in (results.rows[key] for key in README_ROWS if key in results.rows):
        lines.append(_line(row.title, [_figure(row, name) for name in names]))
    return "\n".join(lines)


def put_into(page: Path, text: str) -> None:
    """Replace what stands between the two markers in ``page``."""
    before, begin, rest = page.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"{page} lacks the line {END if begin else BEGIN}")
    page.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}")


def _facts(results: Results) -> str:
    versions = ", ".join(f"{name} {version}".strip() for name, version in results.versions.items())
    facts = "; ".join(f"{name} {value}".strip() for name, value in results.facts.items())
    return f"{facts}.\n{versions}."


def _seconds_table(results: Results, notes: Footnotes) -> str:
    names = list(results.versions)
    lines = [_line("", names), _line("---", ["---:"] * len(names))]
    for row in results.rows.values():
        lines.append(_line(row.title, [_seconds_cell(row, name, notes) for name in names]))
    return "\n".join(lines)


def _seconds_cell(row: Row, peer: str, notes: Footnotes) -> str:
    cell = row.cells.get(peer, Cell())
    mark = notes.mark(cell.reason) if cell.reason else ""
    return f"{_figure(row, peer)}{mark}"


def _figure(row: Row, peer: str) -> str:
    median, ratio = row.median(peer), row.ratio(peer)
    if median is None:
        return "-"
    if peer == ISOMOUNT or ratio is None:
        return duration(median)
    return f"{duration(median)} ({times(ratio)})"


def _targets_table(results: Results) -> str:
    lines = ["| target | against the fastest FUSE peer | this run | |", "|---|---|---:|---|"]
    only_kinds = all(key.startswith("kinds-") for key in results.rows)
    for target in kinds.TARGETS if results.rows and only_kinds else TARGETS:
        verdict = target.check(results)
        lines.append(
            f"| {target.title} | {target.wanted} | {verdict.figure} | {verdict.word} |",
        )
    return "\n".join(lines)


def _usage_table(results: Results) -> str:
    names = [ISOMOUNT, *results.variants, *results.rivals]
    lines = [
        "The daemon's highest resident memory and its processor time since the mount:\n",
        _line("", names),
        _line("---", ["---:"] * len(names)),
    ]
    for row in results.rows.values():
        cells = [_usage_cell(row.cells.get(name, Cell())) for name in names]
        lines.append(_line(row.title, cells))
    return "\n".join(lines)


def _usage_cell(cell: Cell) -> str:
    if cell.peak is None or cell.cpu is None:
        return "-"
    return f"{cell.peak * 1024 / 1e6:.0f} MB, {cell.cpu:.2f} s"


def _line(title: str, cells: list[str]) -> str:
    return f"| {title} | {' | '.join(cells)} |"
