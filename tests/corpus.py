"""Real images and what Linux shows of them, where that material lies beside the checkout.

``../shared/corpus`` holds images made by many tools, ``../shared/truth`` one JSON line a path that
the kernel's own drivers show, for each image and view. Tests that need them skip without them.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

SHARED = Path(__file__).resolve().parent.parent.parent / "shared"
CORPUS = SHARED / "corpus"
TRUTH = SHARED / "truth"
# Small ones from bug reports, with what is right of each in their README.
CASES = SHARED / "cases"

# The view's name in the truth, and the options that show the same.
VIEWS = {
    "iso9660": ("view=iso9660",),
    "iso9660.norock": ("view=iso9660", "norock"),
    "iso9660.plain": ("view=iso9660", "norock", "nojoliet"),
    "udf": ("view=udf",),
}

Record = dict[str, Any]

needs_corpus = pytest.mark.skipif(
    not CORPUS.is_dir(), reason="the real images are not beside the checkout"
)

needs_cases = pytest.mark.skipif(
    not CASES.is_dir(), reason="the images of bug reports are not beside the checkout"
)


class Case(NamedTuple):
    """One image in one view: whether Linux mounts it, and what it shows then."""

    image: str
    view: str
    mounts: bool

    @property
    def path(self) -> Path:
        """The image file."""
        return CORPUS / self.image

    @property
    def options(self) -> tuple[str, ...]:
        """What to mount it with."""
        return VIEWS[self.view]

    @property
    def truth(self) -> list[Record]:
        """The kernel's records; the first is that of statfs."""
        text = (TRUTH / f"{self.image}.{self.view}.jsonl").read_text()
        return [json.loads(line) for line in text.splitlines()]


def cases() -> list[Case]:
    """Every image and view that there is truth for; none without the material."""
    return list(_cases()) if CORPUS.is_dir() and TRUTH.is_dir() else []


def _cases() -> Iterator[Case]:
    for line in (TRUTH / "index.tsv").read_text().splitlines()[1:]:
        name, code, *_ = line.split("\t")
        view = max((v for v in VIEWS if name.endswith(f".{v}")), key=len)
        image = name.removesuffix(f".{view}")
        if (CORPUS / image).is_file():
            yield Case(image, view, code == "0")


def all_images() -> list[str]:
    """Every file of the corpus, sheets and what is no image included."""
    if not CORPUS.is_dir():
        return []
    return sorted(str(p.relative_to(CORPUS)) for p in CORPUS.rglob("*") if p.is_file())
