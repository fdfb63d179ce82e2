"""The picture of a mounted image in a file manager for README.

``python -m tests.desktop.picture FILE.png`` draws it anew, as root. It is nicest with the packages
fonts-cantarell and libgdk-pixbuf2.0-bin, which makes thumbnails.
"""

import argparse
import os
import subprocess
import tempfile
from pathlib import Path

from tests.authoring import genisoimage, write_tree
from tests.command import ORDINARY_USER, wait_until
from tests.desktop.session import HOME, Session, session
from tests.desktop.windows import Window, window_titled

_LABEL = "HOLIDAY_2026"
_WHEN = 1784030400  # 2026-07-14 12:00 UTC
_WIDTH, _HEIGHT = 900, 400

_FONT = "[Settings]\ngtk-font-name=Cantarell 11\n"  # GNOME's own

# Red, green and blue of each pixel, for ffmpeg; the sun, the hills and so on by X and Y.
_SUN = "lt(hypot(X-W*0.68,Y-H*0.42),H*0.13)"
_SEA = "gt(Y,H*0.6)"
_GLITTER = "lt(abs(X-W*0.68+14*sin(Y/3)),H*0.1)"
_HILL = "gt(Y,H*0.35+abs(X-W*0.4)*0.75)"
_NEAR = "gt(Y,H*0.55+abs(X-W*0.75)*0.6)"
_SNOW = "lt(Y,H*0.47+6*sin(X/5))"
_SAND = "gt(Y,H*0.7+12*sin(X/60))"
_PHOTOS = {
    "Sunset.jpg": (
        f"if({_SUN},255,if({_SEA},if({_GLITTER},250,150-Y/6),250-Y/12))",
        f"if({_SUN},232,if({_SEA},if({_GLITTER},170,70-Y/12),90+Y/3.4))",
        f"if({_SUN},150,if({_SEA},if({_GLITTER},90,90),110-Y/6))",
    ),
    "Mountains.jpg": (
        f"if({_NEAR},52+Y/14,if({_HILL},if({_SNOW},245,110),120+Y/4))",
        f"if({_NEAR},104+Y/14,if({_HILL},if({_SNOW},248,118),176+Y/6))",
        f"if({_NEAR},66,if({_HILL},if({_SNOW},255,140),235))",
    ),
    "Beach.jpg": (
        f"if({_SAND},238-Y/30,if(gt(Y,H*0.45),20+Y/6,120+Y/3))",
        f"if({_SAND},214-Y/20,if(gt(Y,H*0.45),130+Y/6,190+Y/6))",
        f"if({_SAND},160-Y/12,if(gt(Y,H*0.45),180+Y/10,245))",
    ),
}


def main() -> None:
    """Draw the picture into the file on the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.desktop.picture")
    parser.add_argument("file", type=Path)
    target = parser.parse_args().file
    with session() as desktop:
        image = _make_disc(desktop)
        settings = desktop.home / ".config/gtk-4.0/settings.ini"
        desktop.says("mkdir", "-p", HOME / ".config/gtk-4.0")
        settings.write_text(_FONT)
        desktop.use_file_manager("org.gnome.Nautilus")
        desktop.says("isomount", "open", image)
        with window_titled(desktop, _LABEL) as window:
            window.resize(_WIDTH, _HEIGHT)
            target.write_bytes(_settled(window))
        desktop.says("isomount", "umount", image)


def _make_disc(desktop: Session) -> Path:
    files: dict[str, bytes | str] = {
        "Music/Waves.ogg": b"OggS",
        "Pictures/All of them.txt": b"",
        "Videos/Diving.txt": b"",
        "README.txt": b"Our holiday.\n",
        "Route.html": b"<!doctype html><title>Route</title>",
        **{name: _photo(*colours) for name, colours in _PHOTOS.items()},
    }
    with tempfile.TemporaryDirectory() as work:
        tree = write_tree(Path(work, "tree"), files)
        for path in tree.rglob("*"):
            os.utime(path, (_WHEN, _WHEN))  # what is quite new gets no thumbnail yet
        image = genisoimage(desktop.home / "holiday.iso", tree, "-R", "-J", "-V", _LABEL)
    os.chown(image, ORDINARY_USER, ORDINARY_USER)
    return HOME / image.name


def _photo(red: str, green: str, blue: str) -> bytes:
    plane = f"geq=r='{red}':g='{green}':b='{blue}'"
    source = f"color=black:size=640x480,format=gbrp,{plane}"
    words = ["ffmpeg", "-loglevel", "error", "-f", "lavfi", "-i", source, "-frames:v", "1"]
    words += ["-q:v", "3", "-f", "mjpeg", "-"]
    return subprocess.run(words, capture_output=True, check=True).stdout


def _settled(window: Window) -> bytes:
    """The picture once it stays the same: every icon and thumbnail is there."""
    shots = [window.picture()]

    def look() -> bool:
        subprocess.run(["sleep", "2"], check=True)
        shots.append(window.picture())
        return shots[-1] == shots[-2]

    wait_until("nothing changes any more", look)
    return shots[-1]


if __name__ == "__main__":
    main()
