"""The figures of a run: medians, ratios, and the file that keeps them."""

import json
import statistics
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

ISOMOUNT = "isomount"


@dataclass(slots=True)
class Cell:
    """What one peer did in one row."""

    seconds: list[float] = field(default_factory=list)  # one figure per round
    peak_kib: list[int] = field(default_factory=list)  # the daemon's, where there is one
    cpu_seconds: list[float] = field(default_factory=list)
    reason: str = ""  # why there is no figure, or fewer than rounds

    @property
    def median(self) -> float | None:
        """The middle figure, None without any."""
        return statistics.median(self.seconds) if self.seconds else None

    @property
    def peak(self) -> int | None:
        """The highest resident memory of any round, in KiB."""
        return max(self.peak_kib, default=None)

    @property
    def cpu(self) -> float | None:
        """The middle processor time in seconds."""
        return statistics.median(self.cpu_seconds) if self.cpu_seconds else None


@dataclass(slots=True)
class Row:
    """One line of the table: a workload's measure in one state."""

    title: str
    cells: dict[str, Cell] = field(default_factory=dict)

    def median(self, peer: str = ISOMOUNT) -> float | None:
        """The median of ``peer``, None where it has no figure."""
        cell = self.cells.get(peer)
        return cell.median if cell else None

    def ratio(self, peer: str) -> float | None:
        """The median of ``peer`` divided by isomount's: above 1 it is slower than isomount."""
        mine, other = self.median(), self.median(peer)
        return other / mine if mine and other is not None else None

    def fastest(self, peers: Iterable[str]) -> str | None:
        """The one of ``peers`` with the smallest median."""
        medians = {peer: median for peer in peers if (median := self.median(peer)) is not None}
        return min(medians, key=lambda peer: medians[peer], default=None)


@dataclass(slots=True)
class Results:
    """A whole run."""

    facts: dict[str, str]  # date, machine, kernel ...
    versions: dict[str, str]  # every peer's, in the table's order
    ceilings: list[str]  # the peers that are no FUSE programs
    rows: dict[str, Row] = field(default_factory=dict)
    variants: list[str] = field(default_factory=list)  # the peers that are isomount as well

    @property
    def rivals(self) -> list[str]:
        """The FUSE programs other than isomount."""
        others = (ISOMOUNT, *self.variants, *self.ceilings)
        return [name for name in self.versions if name not in others]

    def cell(self, key: str, peer: str) -> Cell:
        """The cell of ``peer`` in row ``key``."""
        return self.rows[key].cells.setdefault(peer, Cell())

    def save(self, path: Path) -> None:
        """Write everything to ``path`` as JSON."""
        path.write_text(json.dumps(asdict(self), indent=1) + "\n")

    @classmethod
    def load(cls, path: Path) -> "Results":
        """What ``save`` wrote."""
        stored: dict[str, Any] = json.loads(path.read_text())
        rows = {
            key: Row(row["title"], {peer: Cell(**cell) for peer, cell in row["cells"].items()})
            for key, row in stored.pop("rows").items()
        }
        return cls(**stored, rows=rows)
