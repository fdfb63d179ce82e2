"""Extended attributes that xorriso stores: read, shown by a view, and kept by an extraction."""

import errno
import os
import stat
from pathlib import Path

import pytest

import isomount
from isomount.extract import Extractor, Place, Problems
from tests.authoring import write_tree, xorriso, xorriso_session
from tests.corpus import CASES, needs_cases
from tests.formats.iso_builder import IsoImage, directory_record, field, nm, px, record

Attributes = dict[str, dict[bytes, bytes]]

LONG = bytes(range(256)) * 12
STORED: Attributes = {
    ".": {b"user.top": b"t"},
    "a.txt": {b"user.color": b"blue", b"user.empty": b""},
    "folder": {b"user.binary": b"\0\xff\0\x10"},
    "folder/long": {b"user.long": LONG},
    "plain": {},
}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = write_tree(
        tmp_path / "tree", {"a.txt": b"a\n", "folder/long": b"l", "plain": b"p", "link": "a.txt"}
    )
    for path, attributes in STORED.items():
        for name, value in attributes.items():
            try:
                os.setxattr(root / path, name, value)
            except OSError as error:
                if error.errno != errno.ENOTSUP:
                    raise
                pytest.skip("no extended attributes of users in the temporary directory")
    return root


def shown(image: Path) -> Attributes:
    with isomount.open(image) as disc:
        found = {path: disc.volume.xattrs(node.ino) for path, node in disc.volume.walk()}
        assert disc.volume.view.has_xattrs == any(found.values())
    return found


def test_a_view_shows_what_xorriso_stored(tree: Path, tmp_path: Path) -> None:
    assert shown(xorriso(tmp_path / "x.iso", tree, "-R", "--xattr")) == STORED | {"link": {}}
    assert not any(shown(xorriso(tmp_path / "without.iso", tree, "-R")).values())


def test_relocated_directories_have_theirs(tree: Path, tmp_path: Path) -> None:
    deep = tree / "1/2/3/4/5/6/7/8/9"
    deep.mkdir(parents=True)
    for directory in (deep, deep.parent):
        os.setxattr(directory, "user.name", directory.name.encode())
    image = xorriso_session(
        tmp_path / "x.iso",
        *("-compliance", "clear:only_iso_version:deep_paths_off"),
        *("-xattr", "on", "-map", str(tree), "/"),
    )
    found = shown(image)
    assert found["1/2/3/4/5/6/7/8/9"] == {b"user.name": b"9"}
    assert found["1/2/3/4/5/6/7/8"] == {b"user.name": b"8"}


def test_acls_are_shown_as_linux_stores_them(tree: Path, tmp_path: Path) -> None:
    nobody = b"\xff" * 4
    acl = b"\2\0\0\0\1\0\6\0" + nobody + b"\2\0\7\0\xe8\3\0\0\4\0\4\0" + nobody
    acl += b"\x10\0\7\0" + nobody + b"\x20\0\4\0" + nobody
    try:
        os.setxattr(tree / "a.txt", "system.posix_acl_access", acl)
        os.setxattr(tree / "folder", "system.posix_acl_default", acl)
    except OSError:
        pytest.skip("no ACLs in the temporary directory")
    found = shown(xorriso(tmp_path / "x.iso", tree, "-R", "--acl"))
    assert found["a.txt"] == {b"system.posix_acl_access": acl}
    assert found["folder"][b"system.posix_acl_default"] == acl


@needs_cases
def test_an_image_from_a_bug_report() -> None:
    found = shown(CASES / "acl.iso")
    assert found.pop("acl.txt") == {b"user.color": b"blue"}
    assert not any(found.values())


def test_extract_keeps_them(tree: Path, tmp_path: Path) -> None:
    image, target = xorriso(tmp_path / "x.iso", tree, "-R", "--xattr"), tmp_path / "out"
    with isomount.open(image) as disc:
        assert disc.extract(target).bare == 0
    for path, attributes in STORED.items():
        copied = {os.fsencode(n): os.getxattr(target / path, n) for n in _of_users(target / path)}
        assert copied == attributes, path
        assert stat.S_IMODE((target / path).stat().st_mode) == stat.S_IMODE(
            (tree / path).stat().st_mode
        )


def _image_with_attributes() -> IsoImage:
    image = IsoImage()
    al = field(b"AL", b"\0" + b"\0\2\3q\0\1" + b"1" + b"\0\2\5t\0\1" + b"2")
    file, folder = px(stat.S_IFREG | 0o644), px(stat.S_IFDIR | 0o755)
    image.directory(30, directory_record(b"\0", 30), directory_record(b"\1", 20))
    image.rock_ridge(
        record(b"F", 40, 4, use=file + nm(b"file") + al),
        directory_record(b"D", 30, use=folder + nm(b"folder") + al),
    )
    image.put(40, b"data")
    return image


@pytest.mark.parametrize("code", [errno.ENOTSUP, errno.EPERM, errno.ENOSPC])
def test_a_target_that_takes_none_is_no_failure(
    code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "setxattr", refuse)
    path = _image_with_attributes().write(tmp_path / "x.iso")
    with isomount.open(path) as disc:
        totals = disc.extract(tmp_path / "out")
    assert (totals.files, totals.failed, totals.bare) == (1, 0, 2)
    assert (tmp_path / "out/file").read_bytes() == b"data"


@pytest.mark.parametrize(
    ("owners", "names"), [(False, {b"user.q"}), (True, {b"user.q", b"trusted.t"})]
)
def test_other_namespaces_are_for_root(
    owners: bool, names: set[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[bytes] = []
    monkeypatch.setattr(os, "setxattr", lambda fd, name, value: given.append(name))
    monkeypatch.setattr(os, "fchown", lambda fd, uid, gid: None)
    volume = _image_with_attributes().open().volume
    with Place(str(tmp_path / "out")) as place:
        totals = Extractor(volume, place, Problems(), owners=owners).extract([])
    assert (len(given), set(given), totals.bare) == (2 * len(names), names, 0)


def test_an_extraction_without_attributes_never_asks_for_any(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = IsoImage()
    image.rock_ridge(record(b"F", 40, 4, use=px(stat.S_IFREG | 0o644) + nm(b"file")))
    volume = image.open().volume
    monkeypatch.setattr(volume, "xattrs", lambda ino: pytest.fail("asked"))
    with Place(str(tmp_path / "out")) as place:
        assert Extractor(volume, place, Problems()).extract([]).failed == 0


def _of_users(path: Path) -> list[str]:
    return [name for name in os.listxattr(path) if name.startswith("user.")]
