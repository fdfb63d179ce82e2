"""What is on the screen, as a screen reader finds it, and pressing it: AT-SPI's own D-Bus calls."""

import json
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from tests.command import wait_until
from tests.desktop.session import Session

_ACCESSIBLE = "org.a11y.atspi.Accessible"
_DEPTH_AT_MOST = 40


@dataclass(frozen=True)
class Widget:
    """Something on the screen; ``role`` is AT-SPI's word for what it is."""

    bus: str
    path: str
    name: str
    role: str
    parent: "Widget | None" = field(default=None, repr=False)


class Screen:
    """All that the programs of the session show."""

    def __init__(self, session: Session) -> None:
        self._session = session
        said = session.says(
            *["busctl", "--user", "--json=short", "call", "org.a11y.Bus", "/org/a11y/bus"],
            *("org.a11y.Bus", "GetAddress"),
        )
        self._address = str(json.loads(said)["data"][0])

    def widgets(self) -> Iterator[Widget]:
        """Every widget, those further out first."""
        level = [Widget("org.a11y.atspi.Registry", "/org/a11y/atspi/accessible/root", "", "")]
        for _ in range(_DEPTH_AT_MOST):
            level = self._children(level)
            yield from level

    def wait_for(self, name: str, role: str) -> Widget:
        """The widget with that name and role, once it is there."""
        found: list[Widget] = []

        def look() -> bool:
            found.extend(each for each in self.widgets() if (each.name, each.role) == (name, role))
            return bool(found)

        wait_until(f"there is a {role} {name!r}", look)
        return found[0]

    def press(self, widget: Widget) -> None:
        """Do with ``widget`` what a click on it does."""
        call = self._call(widget, "call", "org.a11y.atspi.Action", "DoAction", "i", "0")
        assert json.loads(self._session.says("sh", "-c", call))["data"] == [True]

    def middle(self, widget: Widget) -> tuple[int, int]:
        """Where on the screen it is."""
        # 0: counted from the screen's corner.
        call = self._call(widget, "call", "org.a11y.atspi.Component", "GetExtents", "u", "0")
        x, y, width, height = json.loads(self._session.says("sh", "-c", call))["data"][0]
        return x + width // 2, y + height // 2

    def _children(self, level: list[Widget]) -> list[Widget]:
        # Whoever has gone meanwhile answers nothing.
        found = [
            Widget(bus, path, "", "", parent)
            for parent, answer in zip(level, self._ask(level, "call", "GetChildren"), strict=True)
            for bus, path in (answer[0] if answer else [])
        ]
        names = self._ask(found, "get-property", "Name")
        roles = self._ask(found, "call", "GetRoleName")
        return [
            replace(each, name=name or "", role=role[0] if role else "")
            for each, name, role in zip(found, names, roles, strict=True)
        ]

    def _ask(self, widgets: list[Widget], verb: str, what: str) -> list[Any]:
        """Their answers, None for none; all of them at once, as that is quicker."""
        calls = [f"{self._call(each, verb, _ACCESSIBLE, what)} || echo null" for each in widgets]
        said = self._session.run("sh", "-c", "\n".join(calls)).stdout
        answers = [json.loads(line) for line in said.splitlines()]
        return [answer and answer["data"] for answer in answers]

    def _call(self, widget: Widget, verb: str, *words: str) -> str:
        to = ("busctl", "--json=short", f"--address={self._address}", verb)
        return shlex.join([*to, widget.bus, widget.path, *words])
