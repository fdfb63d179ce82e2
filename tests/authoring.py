"""Images made from folders by public tools."""

import subprocess
from pathlib import Path


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
    _tool("genisoimage", "-quiet", *options, "-o", str(image), str(folder))
    return image


def xorriso(image: Path, folder: Path, *options: str) -> Path:
    """Write ``folder`` as ISO 9660 into ``image`` with xorriso's mkisofs emulation."""
    _tool("xorriso", "-as", "mkisofs", "-quiet", *options, "-o", str(image), str(folder))
    return image


def xorriso_session(image: Path, *commands: str) -> Path:
    """Run xorriso's own ``commands``, which know filters and more sessions than one."""
    device = "-dev" if image.exists() else "-outdev"
    words = ("-no_rc", "-report_about", "FATAL", device, f"stdio:{image}")
    _tool("xorriso", *words, *commands, "-commit_eject", "none")
    return image


def _tool(*words: str) -> None:
    done = subprocess.run(words, capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, f"{' '.join(words)}: {done.stderr.decode(errors='replace')}"
