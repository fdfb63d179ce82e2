"""The files for desktops, held against the programs that read them."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import isomount
from isomount.desktop import share
from tests.cli.gio import Gio
from tests.command import CHECKOUT, PATIENCE, wait_until

DATA = CHECKOUT / "isomount/desktop/data"
ENTRY = "applications/isomount.desktop"
TYPES = "mime/packages/isomount.xml"
NAMES_OF_ISO = ("application/x-cd-image", "application/vnd.efi.iso")

# What shared-mime-info says since 2.3, where the older name has become an alias.
NEWER_TYPES = """<?xml version="1.0" encoding="UTF-8"?>
<mime-info xmlns="http://www.freedesktop.org/standards/shared-mime-info">
  <mime-type type="application/vnd.efi.iso">
    <comment>raw CD image</comment>
    <sub-class-of type="application/vnd.efi.img"/>
    <alias type="application/x-cd-image"/>
    <alias type="application/x-iso9660-image"/>
    <glob pattern="*.iso" weight="90"/>
  </mime-type>
</mime-info>
"""


def check(*words: str | Path) -> str:
    done = subprocess.run(
        [str(word) for word in words],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def gio(tmp_path: Path) -> Gio:
    """A home and a machine without anything of isomount's."""
    for name in ("home", "system/applications"):
        (tmp_path / name).mkdir(parents=True)
    return Gio(tmp_path / "home", tmp_path / "system")


def integrate(gio: Gio, command: str = "/bin/true") -> None:
    for name in share.data_files():
        path = gio.share / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(share.content(name, command))
    gio.run("update-mime-database", gio.share / "mime")
    gio.run("update-desktop-database", gio.share / "applications")


@pytest.mark.parametrize("command", ["isomount", "/usr/bin/isomount", "/odd $`\"'\\ %f/isomount"])
def test_the_entry_is_valid(tmp_path: Path, command: str) -> None:
    path = tmp_path / "isomount.desktop"
    path.write_text(share.content(ENTRY, command))
    assert check("desktop-file-validate", path) == ""


@pytest.mark.parametrize("name", [ENTRY, "systemd/user/isomount@.service"])
def test_a_file_without_the_line_of_the_command_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Else what is installed would start whatever isomount PATH leads to."""
    path = tmp_path / name
    path.parent.mkdir(parents=True)
    path.write_text((DATA / name).read_text().replace("isomount ", "/opt/isomount "))
    monkeypatch.setattr(share, "_ROOT", tmp_path)
    with pytest.raises(ValueError, match="would start another isomount"):
        share.content(name, "/usr/bin/isomount")


def test_the_entry_names_a_type_that_is_described() -> None:
    named = re.findall(r"^MimeType=(.*);$", (DATA / ENTRY).read_text(), re.M)
    assert f'<mime-type type="{named[0]}">' in (DATA / TYPES).read_text()
    assert len(named) == 1


def test_metainfo() -> None:
    path = DATA / "metainfo/isomount.metainfo.xml"
    said = check("appstreamcli", "validate", "--no-net", "--no-color", path)
    issues = re.findall(r"^[EWIP]: \S+ (\S+)", said, re.M)
    assert set(issues) <= {"cid-maybe-not-rdns"}  # no domain is ours
    text = path.read_text()
    version = f'<release version="{isomount.__version__}" '
    assert text.index(version) == text.index("<release ")
    changes = (CHECKOUT / "CHANGELOG.md").read_text()
    # What is not released yet is called a development version, and has no heading of its own.
    released = re.findall(r"^## \[([\d.]+)\]", changes, re.M)
    development = f'{version}type="development"' in text
    assert (isomount.__version__ in released[:1]) is not development


@pytest.mark.parametrize("size", [16, 48, 256])
def test_the_icon_can_be_drawn(tmp_path: Path, size: int) -> None:
    """In each of its corners' middle there is something of the folder, and above it the disc."""
    drawn, plain = tmp_path / "icon.png", tmp_path / "icon.rgba"
    icon = DATA / "icons/hicolor/scalable/apps/isomount.svg"
    check("rsvg-convert", "-w", str(size), "-h", str(size), "-o", drawn, icon)
    check("ffmpeg", "-v", "error", "-i", drawn, "-f", "rawvideo", "-pix_fmt", "rgba", plain)
    pixels = plain.read_bytes()
    assert len(pixels) == size * size * 4

    def at(x: float, y: float) -> tuple[int, ...]:
        start = (int(y * size) * size + int(x * size)) * 4
        return tuple(pixels[start : start + 4])

    assert at(0, 0)[3] == 0  # transparent around it
    red, _, blue, opacity = at(0.5, 0.8)
    assert (opacity, blue > red + 80) == (255, True)
    assert min(at(0.5, 0.2)) > 180


@pytest.mark.parametrize(
    ("name", "data", "kind"),
    [
        ("a.nrg", b"\0" * 64 + b"NER5" + b"\0" * 8, "application/x-nrg"),
        ("a.mds", b"MEDIA DESCRIPTOR\1\5" + b"\0" * 64, "application/x-mds"),
        ("mds-by-content", b"MEDIA DESCRIPTOR\1\5" + b"\0" * 64, "application/x-mds"),
        ("a.ccd", b"[CloneCD]\r\nVersion=3\r\n", "application/x-ccd"),
        ("ccd-by-content", b"[CloneCD]\r\nVersion=3\r\n", "application/x-ccd"),
        ("a.cue", b'FILE "a.bin" BINARY\r\n', "application/x-cue"),
        ("a.toc", b"CD_ROM\n", "application/x-cdrdao-toc"),
        ("a.gdi", b"3\r\n1 0 4 2352 track01.bin 0\r\n", "application/x-gd-rom-cue"),
        ("a.mdf", b"\0" * 64, "application/x-mdf"),
        ("a.cdi", b"\0" * 64, "application/x-discjuggler-cd-image"),
        ("a.chd", b"MComprHD" + b"\0" * 64, "application/x-mame-chd"),
        ("a.cso", b"CISO" + b"\0" * 64, "application/x-compressed-iso"),
        ("dax-by-content", b"DAX\0" + b"\1" * 64, "application/x-dax"),
        ("isz-by-content", b"IsZ!" + b"\1" * 64, "application/x-isz"),
        ("a.daa", b"DAA\0" + b"\0" * 64, "application/x-daa"),
        ("ewf-by-content", b"EVF\t\r\n\xff\0\1" + b"\1" * 64, "application/x-ewf"),
        ("a.dmg", b"\0" * 64, "application/x-apple-diskimage"),
        ("a.iso.gz", b"\x1f\x8b\x08" + b"\0" * 64, "application/x-cd-image-gzip"),
        ("a.iso.xz", b"\xfd7zXZ\0" + b"\0" * 64, "application/x-cd-image-xz"),
        ("a.udf.zst", b"\x28\xb5\x2f\xfd" + b"\0" * 64, "application/x-cd-image-zstd"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_types_by_name_and_content(gio: Gio, name: str, data: bytes, kind: str) -> None:
    path = gio.home / name
    path.write_bytes(data)
    integrate(gio)
    assert gio.type_of(path) == kind
    assert "isomount.desktop" in gio.programs_for(kind)
    assert kind in share.image_types()


def test_other_compressed_files_are_left_alone(gio: Gio) -> None:
    path = gio.home / "notes.tar.gz"
    path.write_bytes(b"\x1f\x8b\x08" + b"\0" * 64)
    before = gio.type_of(path)
    integrate(gio)
    assert gio.type_of(path) == before
    assert "isomount.desktop" not in gio.programs_for(before)


def test_what_unpacks_compressed_images_still_does(gio: Gio) -> None:
    path = gio.home / "disc.iso.gz"
    path.write_bytes(b"\x1f\x8b\x08" + b"\0" * 64)
    gio.add_program("rival", "application/gzip;")
    integrate(gio)
    kind = gio.type_of(path)
    assert gio.default_for(kind) == "rival.desktop"
    assert "isomount.desktop" in gio.programs_for(kind)


def test_an_iso_image_keeps_its_type(gio: Gio, small_image: Path) -> None:
    before = gio.type_of(small_image)
    assert before in NAMES_OF_ISO
    integrate(gio)
    assert gio.type_of(small_image) == before
    assert "isomount.desktop" in gio.programs_for(before)


@pytest.fixture(params=["as installed", "newer"])
def either(gio: Gio, request: pytest.FixtureRequest) -> Gio:
    """With this machine's shared-mime-info, and with what is new in that of others."""
    if request.param == "newer":
        (gio.system / "mime/packages").mkdir(parents=True)
        (gio.system / "mime/packages/newer.xml").write_text(NEWER_TYPES)
        gio.run("update-mime-database", gio.system / "mime")
    return gio


def test_what_opened_images_still_does(either: Gio, small_image: Path) -> None:
    """Nobody has chosen anything: the order of folders alone would give the images to us."""
    kind = either.type_of(small_image)
    either.add_program("rival", f"{kind};")
    assert either.default_for(kind) == "rival.desktop"
    integrate(either)
    assert either.default_for(kind) == "rival.desktop"
    assert either.run("xdg-mime", "query", "default", kind) == "rival.desktop\n"
    assert either.programs_for(kind)[:2] == ["rival.desktop", "isomount.desktop"]


def test_what_opened_disks_of_any_kind_still_does(gio: Gio, small_image: Path) -> None:
    kind = gio.type_of(small_image)
    parents = ("application/x-raw-disk-image", "application/vnd.efi.img")
    gio.add_program("rival", ";".join(parents) + ";")
    assert gio.default_for(kind) == "rival.desktop"
    integrate(gio)
    assert gio.default_for(kind) == "rival.desktop"
    assert "isomount.desktop" in gio.programs_for(kind)
    for parent in parents:
        assert "isomount.desktop" not in gio.programs_for(parent)


def test_what_somebody_chose_stays_chosen(either: Gio, small_image: Path) -> None:
    kind = either.type_of(small_image)
    either.add_program("rival", f"{kind};")
    either.add_program("chosen", f"{kind};")
    either.run("gio", "mime", kind, "chosen.desktop")
    chosen = (either.home / ".config/mimeapps.list").read_text()
    integrate(either)
    assert either.default_for(kind) == "chosen.desktop"
    assert either.run("xdg-mime", "query", "default", kind) == "chosen.desktop\n"
    assert (either.home / ".config/mimeapps.list").read_text() == chosen
    assert either.programs_for(kind)[:3] == ["chosen.desktop", "rival.desktop", "isomount.desktop"]


@pytest.mark.parametrize("folder", ["plain", "with space", "$HOME `x`", "\"both'\\"])
def test_the_entry_starts_any_command_with_any_image(gio: Gio, folder: str) -> None:
    program, written = gio.home / folder / "isomount", gio.home / "written"
    program.parent.mkdir()
    program.write_text(
        f"""#!/bin/sh\nprintf '%s\\n' "$0" "$@" >{written}.part; mv {written}.part {written}\n"""
    )
    program.chmod(0o755)
    image = gio.home / 'an $image\'s %f "name".iso'
    image.touch()
    integrate(gio, str(program))
    gio.run("gio", "launch", gio.share / ENTRY, image)
    wait_until("the command was started", written.exists)
    assert written.read_text().splitlines() == [str(program), "open", str(image)]


def test_an_entry_without_its_command_is_no_entry(gio: Gio, small_image: Path) -> None:
    """pipx uninstall takes the command away and knows nothing of the entry."""
    program = gio.home / "isomount"
    shutil.copy("/bin/true", program)
    integrate(gio, str(program))
    kind = gio.type_of(small_image)
    assert gio.default_for(kind) == "isomount.desktop"
    os.unlink(program)
    assert "isomount.desktop" not in gio.run("gio", "mime", kind)
