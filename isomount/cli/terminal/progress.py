"""The bar that long work shows on a terminal. rich is imported only when there is one to draw."""

import importlib.util
import os
import sys
from typing import TYPE_CHECKING, Self

from isomount.text import one_line

if TYPE_CHECKING:
    from rich.progress import TaskID

_NAME_WIDTH = 32


def can_draw() -> bool:
    """Whether standard error is a terminal that can move its cursor."""
    return (
        sys.stderr is not None
        and sys.stderr.isatty()
        and os.environ.get("TERM") != "dumb"
        and importlib.util.find_spec("rich") is not None
    )


class Bar:
    """A bar over ``total`` bytes on standard error, gone when it is done.

    What else is printed on standard error meanwhile appears above it. rich itself obeys NO_COLOR.
    """

    def __init__(self, total: int) -> None:
        # Here because it takes longer to import than most images take to be read.
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
            TransferSpeedColumn,
        )

        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
        )
        self._progress = Progress(
            *columns, console=Console(stderr=True), transient=True, redirect_stdout=False
        )
        self._task: TaskID = self._progress.add_task("", total=total)

    def show(self, path: bytes) -> None:
        """Name what is being worked on."""
        text = one_line(os.fsdecode(path))
        if len(text) > _NAME_WIDTH:
            text = "…" + text[1 - _NAME_WIDTH :]
        self._progress.update(self._task, description=f"{text:<{_NAME_WIDTH}}")

    def advance(self, count: int) -> None:
        """That many bytes are done."""
        self._progress.advance(self._task, count)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *reason: object) -> None:
        self._progress.stop()
