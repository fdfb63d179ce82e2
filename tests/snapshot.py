"""A mounted tree as records, in the form of the kernel's truth (see tests.corpus)."""

import errno
import hashlib
import os
import stat
from pathlib import Path
from typing import Any

Record = dict[str, Any]

_TYPES = {
    stat.S_IFDIR: "dir",
    stat.S_IFREG: "file",
    stat.S_IFLNK: "symlink",
    stat.S_IFCHR: "chr",
    stat.S_IFBLK: "blk",
    stat.S_IFIFO: "fifo",
    stat.S_IFSOCK: "sock",
}
_CHUNK = 1 << 20
# The truth holds no digests of larger files.
_HASHED_AT_MOST = 64 << 20


def snapshot(root: Path) -> dict[str, Record]:
    """Path to record of everything below ``root``, itself as "."; failures are in "error"."""
    found: dict[str, Record] = {".": _record(root, ".")}
    pending = [""]
    while pending:
        prefix = pending.pop()
        try:
            with os.scandir(root / prefix) as listing:
                entries = list(listing)
        except OSError as error:
            found[prefix.rstrip("/") or "."]["error"] = _words("readdir", error)
            continue
        for entry in entries:
            path = prefix + entry.name
            record = _record(root / path, path)
            record["listed"] = (entry.inode(), _listed_type(entry))
            if path in found:
                record["duplicate_name"] = True
            found[path] = record
            if record.get("type") == "dir":
                pending.append(path + "/")
    return found


def _listed_type(entry: "os.DirEntry[str]") -> str | None:
    """What the listing itself says: d_type, without a look at the inode."""
    if entry.is_symlink():
        return "symlink"
    if entry.is_dir(follow_symlinks=False):
        return "dir"
    return "file" if entry.is_file(follow_symlinks=False) else None


def _record(path: Path, name: str) -> Record:
    try:
        info = path.lstat()
    except OSError as error:
        return {"path": name, "error": _words("lstat", error)}
    kind = _TYPES[stat.S_IFMT(info.st_mode)]
    record: Record = {
        "path": name,
        "type": kind,
        "mode": f"{stat.S_IMODE(info.st_mode):04o}",
        "uid": info.st_uid,
        "gid": info.st_gid,
        "nlink": info.st_nlink,
        "size": info.st_size,
        "mtime_ns": info.st_mtime_ns,
        "ino": info.st_ino,
        "blocks": info.st_blocks,
    }
    if kind in ("chr", "blk"):
        record["rdev"] = info.st_rdev
    if kind == "symlink":
        try:
            record["target"] = os.readlink(path)
        except OSError as error:
            record["error"] = _words("readlink", error)
    if kind == "file" and info.st_size <= _HASHED_AT_MOST:
        record.update(_digest(path))
    return record


def _digest(path: Path) -> Record:
    digest = hashlib.sha256()
    offset = 0
    try:
        with path.open("rb", buffering=0) as file:
            while data := file.read(_CHUNK):
                digest.update(data)
                offset += len(data)
    except OSError as error:
        failure = _words(f"read at {offset}", error)
        return {"error": failure, "sha256_before_error": digest.hexdigest()}
    return {"sha256": digest.hexdigest()}


def _words(what: str, error: OSError) -> str:
    return f"{what}: {errno.errorcode[error.errno or 0]}"
