"""GIO's view of files and programs, in folders that are nobody's desktop."""

import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from tests.command import PATIENCE


@dataclass
class Gio:
    """``home`` is the user's folders, ``system`` comes before what this machine has."""

    home: Path
    system: Path
    prefix: tuple[str, ...] = ()
    more: dict[str, str] = field(default_factory=dict)

    @property
    def share(self) -> Path:
        return self.home / ".local/share"

    @property
    def env(self) -> dict[str, str]:
        return {
            **os.environ,
            "HOME": str(self.home),
            "XDG_DATA_HOME": str(self.share),
            "XDG_CONFIG_HOME": str(self.home / ".config"),
            "XDG_DATA_DIRS": f"{self.system}:/usr/local/share:/usr/share",
            "XDG_CURRENT_DESKTOP": "GNOME",  # so that xdg-mime asks GIO
            "GIO_USE_VFS": "local",
            "DBUS_SESSION_BUS_ADDRESS": "disabled:",
            "LC_ALL": "C.UTF-8",
            **self.more,
        }

    def run(self, *words: str | Path) -> str:
        done = subprocess.run(
            [*self.prefix, *map(str, words)],
            env=self.env,
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def type_of(self, path: Path) -> str:
        said = self.run("gio", "info", "-a", "standard::content-type", path)
        kind = said.split("standard::content-type: ")[1].strip()
        assert self.run("xdg-mime", "query", "filetype", path).strip() == kind
        return kind

    def default_for(self, kind: str) -> str:
        return self.run("gio", "mime", kind).splitlines()[0].rpartition(": ")[2]

    def programs_for(self, kind: str) -> list[str]:
        """By order; the list of the recommended ones follows that of all."""
        said = self.run("gio", "mime", kind).partition("Registered applications:\n")[2]
        return [line.strip() for line in said.split("\n") if line.startswith("\t")]

    def add_program(self, name: str, kinds: str) -> None:
        """A program of somebody else's, for the whole machine."""
        folder = self.system / "applications"
        folder.mkdir(parents=True, exist_ok=True)
        entry = f"[Desktop Entry]\nType=Application\nName={name}\nExec=/bin/true %f\n"
        (folder / f"{name}.desktop").write_text(f"{entry}MimeType={kinds}\n")
        self.run("update-desktop-database", folder)
