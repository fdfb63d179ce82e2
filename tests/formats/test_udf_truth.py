"""Every UDF image of the corpus against what the Linux kernel shows of it."""

import contextlib
import csv
import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from isomount.blocks import BlockCache
from isomount.damage import Damage
from isomount.errors import DamagedImageError
from isomount.formats.node import Node
from isomount.formats.options import ViewOptions
from isomount.formats.udf import find
from isomount.sources import LocalSource
from tests.corpus import CORPUS, TRUTH
from tests.formats.udf_walk import Opened, digest, opened

SUFFIX = ".udf"
HASHED_AT_MOST = 64 << 20
KINDS = {
    stat.S_IFREG: "file",
    stat.S_IFDIR: "dir",
    stat.S_IFLNK: "symlink",
    stat.S_IFCHR: "chr",
    stat.S_IFBLK: "blk",
    stat.S_IFIFO: "fifo",
    stat.S_IFSOCK: "sock",
}
# Image and path, the field, and the better value: none of the corpus's own is needed so far.
BETTER: dict[tuple[str, str], dict[str, Any]] = {}


def _mounted(index: Path) -> list[str]:
    """The images that the kernel mounted as UDF."""
    if not index.exists():
        return []
    with index.open(newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    return [
        row["name"].removesuffix(SUFFIX)
        for row in rows
        if row["name"].endswith(SUFFIX) and row["rc"] == "0"
    ]


IMAGES = _mounted(TRUTH / "index.tsv")


def _record(found: Opened, node: Node) -> dict[str, Any]:
    if node.fault is not None:
        return {"fault": node.fault}
    shown: dict[str, Any] = {
        "type": KINDS[stat.S_IFMT(node.mode)],
        "mode": f"{stat.S_IMODE(node.mode):04o}",
        "uid": node.uid,
        "gid": node.gid,
        "nlink": node.nlink,
        "size": node.size,
        "mtime": node.mtime_ns // 10**9,
        "mtime_ns": node.mtime_ns,
    }
    if node.target is not None:
        shown["target"] = os.fsdecode(node.target)
    if shown["type"] in ("chr", "blk"):
        shown["rdev"] = node.rdev
    if node.content is not None and node.size <= HASHED_AT_MOST:
        shown["sha256"] = digest(found.reader, node)
    return shown


def _kernel(name: str) -> dict[str, dict[str, Any]]:
    records: dict[str, dict[str, Any]] = {}
    with (TRUTH / f"{name}{SUFFIX}.jsonl").open() as file:
        for line in file:
            record = json.loads(line)
            records.setdefault(record["path"], record)
    return records


@pytest.fixture(scope="module")
def compared(request: pytest.FixtureRequest) -> Iterator[list[tuple[int, int]]]:
    """Paths and bytes compared of each image; the sums are printed at the end."""
    counts: list[tuple[int, int]] = []
    yield counts
    paths, content = sum(each[0] for each in counts), sum(each[1] for each in counts)
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        print(f"\nUDF parity: {len(counts)} images, {paths} paths, {content} bytes compared")


@pytest.mark.parametrize("name", IMAGES)
def test_shows_what_the_kernel_shows(name: str, compared: list[tuple[int, int]]) -> None:
    path = CORPUS / name
    if not path.exists():
        pytest.skip(f"{name} is not in the corpus")
    kernel = _kernel(name)
    statfs = kernel.pop("")
    with opened(path) as found:
        ours = {os.fsdecode(key): node for key, node in found.walk().items()}
        assert set(ours) == set(kernel)
        content = 0
        for key, node in ours.items():
            shown = _record(found, node)
            expected = {field: kernel[key][field] for field in shown if field in kernel[key]}
            expected.update(BETTER.get((name, key), {}))
            assert shown == expected, key
            content += node.size if node.content is not None else 0
        own = found.view.statfs()
        assert (own.block_size, own.blocks) == (statfs["bsize"], statfs["blocks"])
        assert (own.blocks_free, own.files) == (statfs["bfree"], statfs["files"])
    compared.append((len(ours), content))


CANDIDATES = sorted(path for path in CORPUS.glob("*") if path.is_file())


@pytest.mark.parametrize("path", CANDIDATES, ids=lambda path: path.name)
def test_every_image_of_the_corpus_ends_well(path: Path) -> None:
    reader = BlockCache(LocalSource(path))
    try:
        damage = Damage()
        view = None
        with contextlib.suppress(DamagedImageError):
            view = find(reader, ViewOptions(), path.name, damage)
        assert (view is not None) or path.name not in IMAGES
        if view is None:
            return
        for node in Opened(view, reader, damage).walk().values():
            if node.content is not None and node.size <= HASHED_AT_MOST:
                digest(reader, node)
    finally:
        reader.close()
