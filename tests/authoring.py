"""Images made from folders by public tools."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest


def write_tree(root: Path, files: dict[str, bytes | str]) -> Path:
    """Make ``files`` below ``root``: path to content; a str content is a symbolic link's target."""
    root.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, str):
            path.symlink_to(content)
        else:
            path.write_bytes(content)
    return root


def genisoimage(image: Path, folder: Path, *options: str) -> Path:
    """Write ``folder`` as ISO 9660 into ``image`` with genisoimage (-R, -J, -udf ...)."""
    run_tool("genisoimage", "-quiet", *options, "-o", str(image), str(folder))
    return image


def xorriso(image: Path, folder: Path, *options: str) -> Path:
    """Write ``folder`` as ISO 9660 into ``image`` with xorriso's mkisofs emulation."""
    run_tool("xorriso", "-as", "mkisofs", "-quiet", *options, "-o", str(image), str(folder))
    return image


def xorriso_session(image: Path, *commands: str) -> Path:
    """Run xorriso's own ``commands``, which know filters and more sessions than one."""
    device = "-dev" if image.exists() else "-outdev"
    words = ("-no_rc", "-report_about", "FATAL", device, f"stdio:{image}")
    run_tool("xorriso", *words, *commands, "-commit_eject", "none")
    return image


def mkudffs(image: Path, *options: str, blocks: int = 4096, size: int = 2048) -> Path:
    """Make ``image``, grown to ``blocks`` of ``size`` bytes, an empty UDF volume with mkudffs."""
    with image.open("ab") as file:
        os.truncate(file.fileno(), blocks * size)
    run_tool("mkudffs", "--utf8", "-b", str(size), *options, str(image), str(blocks))
    return image


def run_tool(*words: str) -> None:
    """Run a program that has to succeed.

    `make test` has installed it. `make check` installs nothing, and skips a test without its tool.
    """
    if shutil.which(words[0]) is None:
        reason = f"{words[0]} is missing; make test installs it"
        if os.environ.get("ISOMOUNT_SKIP_TOOLS") == "1":
            pytest.skip(reason)
        pytest.fail(reason)
    done = subprocess.run(words, capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, f"{' '.join(words)}: {done.stderr.decode(errors='replace')}"
