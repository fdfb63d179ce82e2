"""isomount info."""

import json
from pathlib import Path

from tests.authoring import genisoimage, write_tree, xorriso
from tests.cli.words import assert_failed
from tests.command import run
from tests.conftest import MakeImage
from tests.formats.bridges import bridge
from tests.unit.test_hybrid import mbr


def facts(image: Path, *options: str) -> dict[str, str]:
    """What info prints, by name; lines under a name joined."""
    done = run("info", image, *options)
    assert (done.returncode, done.stderr) == (0, "")
    found: dict[str, str] = {}
    name = ""
    for line in done.stdout.splitlines():
        head, text = line[:16].strip().rstrip(":"), line[17:]
        name = head or name
        found[name] = f"{found[name]}\n{text}" if name in found else text
    return found


def test_identifiers(make_image: MakeImage) -> None:
    words = ("-R", "-J", "-V", "LABEL", "-publisher", "Somebody", "-p", "Hands", "-volset", "SET")
    image = make_image({"a": b"x"}, *words)
    found = facts(image)
    assert found["Label"] == "LABEL"
    assert found["Views"] == "Rock Ridge (shown), Joliet, ISO 9660"
    assert found["Made with"] == "genisoimage"
    assert (found["Publisher"], found["Prepared by"]) == ("Somebody", "Hands")
    assert found["Volume set"] == "SET"
    assert found["Size"].endswith("as the volume says")
    assert found["Created"].endswith(" UTC")
    assert facts(image, "-o", "norock")["Views"] == "Joliet (shown), ISO 9660"


def test_udf_and_its_own_label(make_image: MakeImage) -> None:
    found = facts(make_image({"a": b"x"}, "-udf", "-J", "-V", "disc label"))
    assert found["Views"].startswith("UDF 1.02 (shown), Joliet")
    assert found["Label"] == "disc label"


def test_boot_entries_and_partitions(tmp_path: Path) -> None:
    folder = write_tree(tmp_path / "tree", {"bios.img": b"BIOS" * 512, "efi.img": bytes(4096)})
    (tmp_path / "part.img").write_bytes(bytes(1 << 20))
    boot = ["-b", "bios.img", "-no-emul-boot", "-eltorito-alt-boot", "-e", "efi.img"]
    append = ["-append_partition", "2", "0xef", str(tmp_path / "part.img"), "-appended_part_as_gpt"]
    image = xorriso(tmp_path / "x.iso", folder, *boot, "-no-emul-boot", *append, "-V", "BOOT")
    found = facts(image)
    bios, efi = found["Boot"].splitlines()
    assert bios.startswith("x86 BIOS, no emulation, 4 sectors loaded from byte ")
    assert efi.startswith("UEFI, no emulation, ")
    assert "EFI system" in found["Partitions"]
    plain = json.loads(run("info", "--json", image).stdout)
    assert [entry["platform_name"] for entry in plain["boot"]["entries"]] == ["x86 BIOS", "UEFI"]
    offset = plain["boot"]["entries"][0]["block"] * 2048
    assert image.read_bytes()[offset : offset + 2048] == b"BIOS" * 512
    (appended,) = [each for each in plain["partitions"] if each["kind"] == "EFI system"]
    assert appended["length"] == 1 << 20
    assert appended["start"] + appended["length"] <= plain["size"]


def test_the_partition_that_is_shown(small_image: Path, tmp_path: Path) -> None:
    disk, start = tmp_path / "disk.img", 1 << 20
    data = small_image.read_bytes()
    table = mbr((0, 0x0C, 64, 64), (0, 0x83, start // 512, len(data) // 512))
    disk.write_bytes(table.ljust(start, b"\0") + data)
    found = facts(disk)
    assert found["Shown"] == "MBR partition 2, from byte 1048576 of the file"
    assert found["Size"].endswith("as the volume says")
    first, second = found["Partitions"].splitlines()
    assert first.startswith("MBR 1: 0x0c (FAT32), ")
    assert not first.endswith("(shown)")
    assert second.endswith("from byte 1048576 (shown)")
    plain = json.loads(run("info", "--json", disk).stdout)
    assert (plain["offset"], plain["partition"]) == (start, plain["partitions"][1])
    assert facts(disk, "-o", f"offset={start}")["Shown"] == "from byte 1048576 of the file"
    assert "Shown" not in facts(small_image)
    assert run("ls", disk, "-o", "partition=2").stdout == "deep\nlink\nreadme.txt\n"
    words = f"{disk} (MBR partition 1): holds nothing but zeros"
    assert_failed(run("ls", disk, "-o", "partition=1"), 30, words)
    assert_failed(run("ls", disk, "-o", "partition=3"), 2, "but MBR 1, MBR 2")


def test_sessions(tmp_path: Path) -> None:
    first = write_tree(tmp_path / "one", {"one.txt": b"1"})
    image = genisoimage(tmp_path / "x.iso", first, "-R")
    size = image.stat().st_size
    second = write_tree(tmp_path / "two", {"two.txt": b"2"})
    start = -(-size // 2048)
    addition = genisoimage(tmp_path / "add.iso", second, "-R", "-C", f"0,{start}", "-M", str(image))
    with image.open("ab") as file:
        file.write(bytes(start * 2048 - size) + addition.read_bytes())
    found = facts(image)
    assert found["Sessions"].startswith(f"2: 1 at sector 0, 2 at sector {start}")
    assert "session 2 of 2 is shown" in run("info", image).stdout
    assert json.loads(run("info", "--json", image).stdout)["session"] == "session 2 of 2"
    done = run("ls", image)
    assert done.stdout.split() == ["one.txt", "two.txt"]
    assert "session 2 of 2 is shown; -o session=N shows another" in done.stderr
    done = run("ls", image, "-o", "session=1")
    assert done.stdout.split() == ["one.txt"]
    assert done.stderr == ""


def test_what_the_view_shown_lacks(tmp_path: Path) -> None:
    image = bridge(tmp_path / "x.iso", both=1, udf_only=1, iso_only=2)
    said = run("info", image).stdout
    assert "Rock Ridge is shown, which lacks 1 file; -o view=udf shows UDF" in said
    assert json.loads(run("info", "--json", image).stdout)["remark"] in said


def test_a_truncated_image(make_image: MakeImage) -> None:
    image = make_image({"a": b"x" * 500_000}, "-R")
    size = image.stat().st_size
    with image.open("r+b") as file:
        file.truncate(size - 200_000)
    found = facts(image)
    assert "200000 bytes less than the volume needs: it is cut off" in found["Size"]
    assert "the last 200000 bytes are missing" in found["Damage"]
    assert json.loads(run("info", "--json", image).stdout)["missing"] == 200_000


def test_bad_input(small_image: Path, tmp_path: Path) -> None:
    (tmp_path / "text").write_bytes(b"hello\n" * 20_000)
    assert_failed(run("info"), 2, "name the image; see isomount info --help")
    assert_failed(run("info", tmp_path / "none"), 11, "there is no such file")
    assert_failed(run("info", tmp_path / "text"), 30, "is not a disc image")
    assert_failed(run("info", small_image, "more"), 2, "too many names: more")
    assert_failed(run("info", small_image, "-o", "allow_other"), 2, "nothing is mounted here")
