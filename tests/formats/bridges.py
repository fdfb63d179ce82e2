"""Bridge discs by pycdlib, which puts on each side what it is told to."""

import io
from pathlib import Path
from typing import Any

import pycdlib


def put(disc: Any, data: bytes, **paths: str) -> None:
    disc.add_fp(io.BytesIO(data), len(data), **paths)


def bridge(path: Path, both: int, udf_only: int, iso_only: int, link: bool = False) -> Path:
    """A bridge with that many files on both sides, on UDF's and on ISO 9660's only."""
    disc = pycdlib.PyCdlib()
    disc.new(interchange_level=3, rock_ridge="1.09", udf="2.60")
    for n in range(both):
        put(disc, b"both", iso_path=f"/B{n}.;1", rr_name=f"b{n}", udf_path=f"/b{n}")
    for n in range(udf_only):
        put(disc, b"udf", udf_path=f"/u{n}")
    for n in range(iso_only):
        put(disc, b"iso", iso_path=f"/I{n}.;1", rr_name=f"i{n}")
    if link:
        disc.add_symlink("/LINK.;1", rr_symlink_name="link", rr_path="b0")
    disc.write(str(path))
    disc.close()
    return path
