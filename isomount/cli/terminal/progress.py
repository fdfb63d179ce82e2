"""Progress bars. rich is only imported when one is shown."""

import importlib.util
import os
import sys
from typing import TYPE_CHECKING, Self

from isomount.cli.terminal.columns import padded, width
from isomount.text import one_line

if TYPE_CHECKING:
    from rich.progress import TaskID

_NAME_WIDTH = 32


def can_draw() -> bool:
    """Whether rich is installed and standard error is a terminal that can show a bar."""
    return (
        sys.stderr is not None
        and sys.stderr.isatty()
        and os.environ.get("TERM") != "dumb"
        and importlib.util.find_spec("rich") is not None
    )


class Bar:
    """A progress bar over ``total`` bytes on standard error, removed at the end.

    Other output to standard error appears above it. rich itself obeys NO_COLOR.
    """

    def __init__(self, total: int) -> None:
        # Imported here because that takes longer than most verbs.
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
        """Show the file that is being processed."""
        text = one_line(os.fsdecode(path))
        if width(text) > _NAME_WIDTH:
            text = text[1 - _NAME_WIDTH :]
            while width(text) >= _NAME_WIDTH:
                text = text[1:]
            text = f"…{text}"
        self._progress.update(self._task, description=padded(text, _NAME_WIDTH))

    def advance(self, count: int) -> None:
        """Add ``count`` bytes."""
        self._progress.advance(self._task, count)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *reason: object) -> None:
        self._progress.stop()
