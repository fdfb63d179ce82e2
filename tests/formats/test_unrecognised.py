"""Files that are no disc image are told by their names, with the program for them."""

import math
import random
import struct
import wave
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isomount.blocks import BlockCache
from isomount.errors import DamagedImageError, NotAnImageError
from isomount.formats.unrecognised import describe
from isomount.formats.unrecognised.signatures import SIGNATURES, Signature
from tests.corpus import SHARED
from tests.formats.iso_builder import IsoImage, MemorySource, opened, record

STRANGERS = SHARED / "cases" / "strangers"
KINDS = SHARED / "corpus" / "kinds"
SYNC = b"\0" + b"\xff" * 10 + b"\0"


class Pieces(MemorySource):
    """A large source of zeros with bytes in some places."""

    def __init__(self, size: int, pieces: dict[int, bytes]) -> None:
        super().__init__(b"")
        self.size = size
        self._pieces = pieces

    def read_at(self, offset: int, length: int) -> bytes:
        length = max(0, min(length, self.size - offset))
        data = bytearray(length)
        for at, piece in self._pieces.items():
            for place, byte in enumerate(piece, at - offset):
                if 0 <= place < length:
                    data[place] = byte
        return bytes(data)


def told(data: bytes, name: str = "x.iso") -> str:
    """What is said of a file: by the library, when it refuses it."""
    with pytest.raises(NotAnImageError) as caught:
        opened(data)
    said = str(caught.value).removeprefix("crafted: ")
    assert said == describe(BlockCache(MemorySource(data)), "crafted")
    return describe(BlockCache(MemorySource(data)), name)


@pytest.mark.parametrize(
    "signature", SIGNATURES, ids=lambda each: f"{each.offset}-{each.words[:24]}"
)
def test_every_signature_is_told_by_its_words(signature: Signature) -> None:
    size = max(0, signature.offset) + (1 << 20)
    at = signature.offset if signature.offset >= 0 else size + signature.offset
    source = Pieces(size, {at: signature.magic})
    said = describe(BlockCache(source), "my disc.iso")
    assert said == signature.words.replace("{name}", "'my disc.iso'")
    assert said.startswith(("is ", "has "))
    assert said.isprintable()


def placed(offset: int, magic: bytes, size: int = 1 << 20) -> bytes:
    at = offset if offset >= 0 else size + offset
    return bytes(at) + magic + bytes(size - at - len(magic))


@pytest.mark.parametrize(
    ("offset", "magic", "words"),
    [
        (0x10000, b"MICROSOFT*XBOX*MEDIA", "is an Xbox disc (XDVDFS); unpack it with: extract-"),
        (0, b"\1ZZZZZ\1", "is a 3DO disc"),
        (32769, b"CD-I \1", "is a CD-i disc"),
        (28, b"\xc2\x33\x9f\x3d", "is a GameCube disc"),
        (24, b"\x5d\x1c\x9e\xa3", "is a Wii disc"),
        (0, b"SEGA SEGAKATANA ", "is a track of a Dreamcast disc"),
        (0, b"SEGA SEGASATURN ", "is a track of a Sega Saturn disc"),
        (-8, b"cdsaencr", "is an encrypted disk image of a Mac (.dmg); macOS opens it"),
        (69, b"ddsk", "is a disk image of an old Mac (NDIF)"),
        (0, b"MSWIM\0\0\0", "is a Windows image (WIM, ESD)"),
        (0, b"QFI\xfb\0\0\0\3", "is a virtual disk (QCOW); make a raw image of it with: qemu-img"),
        (-512, b"conectix", "is a virtual disk (VHD)"),
        (0, b"vhdxfile", "is a virtual disk (VHDX)"),
        (0, b"KDMV", "is a virtual disk (VMDK)"),
        (64, b"\x7f\x10\xda\xbe", "is a virtual disk (VDI)"),
        (54, b"FAT16   ", "is a FAT file system; attach it with: udisksctl loop-setup"),
        (3, b"NTFS    ", "is an NTFS file system"),
        (3, b"EXFAT   ", "is an exFAT file system"),
        (1080, b"\x53\xef", "is an ext2, ext3 or ext4 file system"),
        (0, b"XFSB", "is an XFS file system"),
        (0x10040, b"_BHRfS_M", "is a btrfs file system"),
        (0, b"hsqs", "is a squashfs file system; unpack it with: unsquashfs x.iso"),
        (0, b"\x45\x3d\xcd\x28", "is a cramfs file system"),
        (0, b"LUKS\xba\xbe", "is encrypted (LUKS)"),
        (1024, b"BD", "is an HFS file system"),
        (1024, b"H+\0\4", "is an HFS+ file system"),
        (0, b"070701", "is a cpio archive"),
    ],
)  # fmt: skip
def test_what_people_try_to_mount(offset: int, magic: bytes, words: str) -> None:
    assert told(placed(offset, magic)).startswith(words)


def test_sound_made_by_python(tmp_path: Path) -> None:
    with wave.open(str(tmp_path / "w"), "wb") as sound:
        sound.setparams((2, 2, 44100, 0, "NONE", ""))
        sound.writeframes(bytes(5000))
    assert told((tmp_path / "w").read_bytes()).startswith("is sound (WAV)")


def test_el_torito_without_a_file_system() -> None:
    image = IsoImage()
    image.descriptors.append(b"\0CD001\1EL TORITO SPECIFICATION".ljust(2048, b"\0"))
    assert told(image.data()).startswith("is a boot image (El Torito) without a file system")


# ---------------------------------------------------------------- sound


def tone(form: str) -> bytes:
    samples = (int(9000 * math.sin(n / 20)) for n in range(2352 * 20))
    return b"".join(struct.pack(f"{form}hh", value, -value) for value in samples)


@pytest.mark.parametrize(("form", "order"), [("<", "little"), (">", "big")])
def test_sound_without_a_header_is_a_guess(form: str, order: str) -> None:
    said = told(tone(form))
    assert said.startswith("looks like CD audio without a header (a guess")
    assert f"{order}-endian" in said


def test_bytes_by_chance_are_not_taken_for_sound() -> None:
    for seed in range(20):
        data = random.Random(seed).randbytes(2352 * 40)
        assert told(data) == (
            "is not a disc image that isomount knows; what it is may be told by: file -s x.iso"
        )


# ---------------------------------------------------------------- text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "<!DOCTYPE html><html><head><title>404 Not\n Found</title>",
            'is a page of the web ("404 Not Found"); it was saved instead of the image',
        ),
        ("\ufeff \n<HTML><body>", "is a page of the web; it was saved"),
        ("<?xml version='1.0'?>\n<html xmlns='x'>", "is a page of the web; it was saved"),
        (
            "<?xml version='1.0'?><Error><Code>NoSuchKey</Code>",
            'is an XML document ("NoSuchKey"); it was saved instead',
        ),
        ('{"message": "Not found"}', 'is a JSON document ("Not found"); it was saved instead'),
        ("[1, 2]", "is a JSON document; it was saved instead"),
        ("Forbidden\n", 'is not a disc image but text ("Forbidden")'),
        ("x" * 9000, 'is not a disc image but text ("xxx'),
        (
            "version https://git-lfs.github.com/spec/v1\noid",
            "is a pointer of Git LFS, not the file",
        ),
        ("d8:announce35:udp://x4:infod6:lengthi1e", "is a torrent, not what it leads to"),
        ("# JiGsaw Download File 1.2\n", "is a Jigdo recipe"),
    ],
)
def test_text(text: str, words: str) -> None:
    assert told(text.encode()).startswith(words)


# ---------------------------------------------------------------- parts


def test_parts_of_a_download() -> None:
    hole = bytes(80_000) + b"x" * 80_000
    assert told(hole).startswith("begins with zeros where a disc says what it is, and has data")
    assert told(hole, "x.iso.part").startswith("is called like a download that is not finished")
    assert told(bytes(9000), "x.iso.crdownload").startswith("is called like a download")
    assert told(b"\x80" * 70_000, "x.iso.002").startswith("is called like a piece of a split file")
    assert told(b"\x80" * 70_000, "x.iso.ab").startswith("is called like a piece of a split file")
    assert told(b"\x80" * 70_000, "x.z02").startswith("is called like a part of an archive")


def test_the_first_bytes_alone() -> None:
    data = b"\xeb\x63" + b"\x90" * 20_000
    assert told(data).startswith("is too short for a disc image (20002 bytes; a disc says what")
    assert told(data, "x.iso.part").startswith("is called like a download")


def test_zeros() -> None:
    assert told(bytes(100_000)).startswith("holds nothing but zeros: it was never written")
    large = describe(BlockCache(Pieces(1 << 40, {})), "x.iso")
    assert large.startswith("holds nothing but zeros, wherever it was looked at")


# ---------------------------------------------------------------- disks


def mbr(*types: int) -> bytes:
    entries = b"".join(
        bytes([0, 0, 0, 0, kind, 0, 0, 0]) + struct.pack("<II", 64 * (1 + n), 64)
        for n, kind in enumerate(types)
    )
    return bytes(446) + entries.ljust(64, b"\0") + b"\x55\xaa" + bytes(200_000)


def test_a_disk_with_partitions() -> None:
    said = told(mbr(0x0C, 0x83))
    assert said.startswith("is a disk with partitions (MBR: FAT32, Linux), and no disc image in")
    assert said.endswith("attach it with: udisksctl loop-setup -r -f x.iso")


def test_a_mac_disc() -> None:
    driver = b"ER\2\0".ljust(512, b"\0")
    entry = b"PM\0\0" + struct.pack(">III", 1, 16, 100) + b"disc".ljust(32, b"\0") + b"Apple_HFS"
    data = (driver + entry).ljust(16 * 512 + 1024, b"\0")
    said = told(data + b"BD" + bytes(9000))
    assert said.startswith("is a disc of a Mac: the files are in partition 1 (HFS, from byte 8192)")
    assert told(data + bytes(9000)).startswith(
        "is a disc of a Mac (Apple partition map: Apple_HFS)"
    )


# ---------------------------------------------------------------- rules


def test_no_signature_shadows_an_image() -> None:
    """Whatever else the bytes may be: an image that can be read is shown."""
    image = IsoImage()
    image.root(record(b"A.TXT;1", 50, 3))
    data = image.data()
    for offset, magic, _ in SIGNATURES:
        at = offset if offset >= 0 else len(data) + offset
        if at < 32768 or at > 36864:
            changed = data[:at] + magic + data[at + len(magic) :]
            assert opened(changed[: len(data)]).names() == ["a.txt"], magic


def test_a_container_is_told_where_a_volume_inside_seems_damaged() -> None:
    image = IsoImage()
    image.root(record(b"A.TXT;1", 50, 3))
    damaged = image.data()[: 18 * 2048]
    with pytest.raises(DamagedImageError):
        opened(damaged)
    assert told(b"KDMV" + damaged[4:]).startswith("is a virtual disk (VMDK)")


@given(
    st.binary(max_size=5000),
    st.sampled_from([b"", SYNC, b"<html", b"{", b"d8:announce", *(s.magic for s in SIGNATURES)]),
    st.integers(0, 4000),
    st.text(st.characters(codec="utf-8"), max_size=20),
)  # fmt: skip
def test_whatever_the_bytes_one_printable_line(
    data: bytes, magic: bytes, at: int, name: str
) -> None:
    changed = data[:at] + magic + data[at:]
    said = describe(BlockCache(MemorySource(changed)), name)
    assert said.isprintable()
    assert len(said) > 10


class Broken(MemorySource):
    """A source that cannot be read."""

    def read_at(self, offset: int, length: int) -> bytes:
        raise OSError(5, "Input/output error")


def test_what_cannot_be_read_is_not_known() -> None:
    said = describe(BlockCache(Broken(bytes(100_000))), "x.iso")
    assert said.startswith("is not a disc image that isomount knows")


# ---------------------------------------------------------------- the real ones

REAL = {
    "3do.iso": "3DO",
    "apm_hfs.iso": "Mac",
    "cdi.iso": "CD-i",
    "dreamcast_track.iso": "Dreamcast",
    "eltorito_only.iso": "El Torito",
    "empty.iso": "empty (0 bytes)",
    "ext4.img": "ext4",
    "fat.img": "FAT",
    "gamecube.iso": "GameCube",
    "html.iso": '"404 Not found"',
    "machfs.iso": "HFS",
    "ntfs.img": "NTFS",
    "qcow2.iso": "QCOW",
    "squash.iso": "squashfs",
    "torrent_part.iso": "a download that is not finished",
    "wiiu_wux.iso": "Wii U",
    "wim.iso": "WIM",
    "xbox_xiso.iso": "Xbox",
    "zeros.iso": "nothing but zeros",
}


@pytest.mark.skipif(not STRANGERS.is_dir(), reason="the cases are not beside the checkout")
@pytest.mark.parametrize("name", REAL)
def test_real_strangers(name: str) -> None:
    with pytest.raises(NotAnImageError) as caught:
        opened((STRANGERS / name).read_bytes())
    assert REAL[name] in str(caught.value)


@pytest.mark.skipif(not KINDS.is_dir(), reason="the real images are not beside the checkout")
@pytest.mark.parametrize(
    ("name", "program"),
    [
        ("made__mini.vmdk", "qemu-img"),
        ("made__mini.vhd", "qemu-img"),
    ],
)
def test_real_kinds(name: str, program: str) -> None:
    assert f"{program} " in told((KINDS / name).read_bytes(), name)
