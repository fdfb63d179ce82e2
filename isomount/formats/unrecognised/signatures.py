"""Kinds that are known by certain bytes in a certain place."""

from collections.abc import Iterable
from typing import NamedTuple

from isomount.blocks import Reader


class Signature(NamedTuple):
    """``magic`` at byte ``offset``, counted from the end where it is negative.

    ``words`` end a sentence that begins with the name of the file; "{name}" in them is that name.
    """

    offset: int
    magic: bytes
    words: str


_ATTACH = "attach it with: udisksctl loop-setup -r -f {name}"
_TO_RAW = "make a raw image of it with: qemu-img convert -O raw {name} disc.img"
_DOLPHIN = "Dolphin opens it, and unpacks it with: dolphin-tool extract -i {name} -o FOLDER"
_WIT = "Dolphin opens it, and Wiimms ISO Tools unpack it with: wit extract {name} FOLDER"
_CDEMU = "CDEmu opens it with: cdemu load 0 {name}"
_XBOX = "is an Xbox disc (XDVDFS); unpack it with: extract-xiso -x {name}"
_BOOT_ONLY = (
    "is a boot image (El Torito) without a file system, so there is nothing to mount; "
    "it starts in: qemu-system-x86_64 -cdrom {name}"
)
_EXT = f"is an ext2, ext3 or ext4 file system; {_ATTACH}"
_FAT = f"is a FAT file system; {_ATTACH}"
_SQUASHFS = "is a squashfs file system; unpack it with: unsquashfs {name}"
_CRAMFS = "is a cramfs file system; unpack it with: 7z x {name}"
_HFS_PLUS = "is an HFS+ file system of a Mac; unpack it with: 7z x {name}"
_VHD = f"is a virtual disk (VHD); {_TO_RAW}"
_CPIO = "is a cpio archive; unpack it with: cpio -idF {name}"

# Where an Xbox disc's volume begins: a disc of games alone, then XGD1 to XGD3 behind their video.
_XBOX_VOLUMES = (0, 0x18300000, 0xFD90000, 0x2080000, 0x89D80000)
_SECTOR_16 = 32768
_FIRST_SUPERBLOCK = 1024

DISCS = (
    *(Signature(at + 0x10000, b"MICROSOFT*XBOX*MEDIA", _XBOX) for at in _XBOX_VOLUMES),
    Signature(
        0,
        b"\1\x5a\x5a\x5a\x5a\x5a\1",
        "is a 3DO disc (Opera file system); unpack it with: 3dt unpack {name}",
    ),
    Signature(
        _SECTOR_16 + 1,
        b"CD-I ",
        "is a CD-i disc (Green Book); an emulator such as MAME opens it",
    ),
    Signature(28, b"\xc2\x33\x9f\x3d", f"is a GameCube disc; {_WIT}"),
    Signature(24, b"\x5d\x1c\x9e\xa3", f"is a Wii disc; {_WIT}"),
    Signature(
        0,
        b"SEGA SEGAKATANA",
        "is a track of a Dreamcast disc (GD-ROM) without a file system of its own; "
        "an emulator such as Flycast opens the disc by its .gdi",
    ),
    Signature(
        0,
        b"SEGA SEGASATURN",
        "is a track of a Sega Saturn disc without a file system; "
        "an emulator such as Mednafen opens the disc by its .cue",
    ),
    Signature(0, b"\0PBP", "is a PlayStation game for the PSP (PBP), made for an emulator"),
    Signature(_SECTOR_16, b"\0CD001\1EL TORITO SPECIFICATION", _BOOT_ONLY),
    Signature(
        _SECTOR_16 + 1,
        b"CD001",
        "has volume descriptors of ISO 9660, but none that leads to files; "
        "it is damaged, or was not copied whole",
    ),
)

# What holds a disc or a disk in a form of its own: a volume that is found inside is none.
CONTAINERS = (
    Signature(0, b"WBFS", f"is a Wii disc (WBFS); {_WIT}"),
    Signature(0, b"RVZ\1", f"is a compressed GameCube or Wii disc (RVZ); {_DOLPHIN}"),
    Signature(0, b"WIA\1", f"is a compressed GameCube or Wii disc (WIA); {_DOLPHIN}"),
    Signature(0, b"\1\xc0\x0b\xb1", f"is a compressed GameCube or Wii disc (GCZ); {_DOLPHIN}"),
    Signature(0, b"WUX0", "is a compressed Wii U disc (WUX); Cemu opens it"),
    Signature(
        -8, b"cdsaencr", "is an encrypted disk image of a Mac (.dmg); macOS opens it: open {name}"
    ),
    Signature(
        69,
        b"ddsk",
        "is a disk image of an old Mac (NDIF); macOS up to 10.14 makes a raw one of it with: "
        "hdiutil convert {name} -format UDTO -o disc",
    ),
    Signature(
        0, b"encrcdsa", "is an encrypted disk image of a Mac (.dmg); macOS opens it: open {name}"
    ),
    Signature(
        0,
        b"MSWIM\0\0\0",
        "is a Windows image (WIM, ESD); unpack it with: wimlib-imagex apply {name} 1 FOLDER",
    ),
    Signature(0, b"QFI\xfb", f"is a virtual disk (QCOW); {_TO_RAW}"),
    Signature(0, b"conectix", _VHD),
    Signature(-512, b"conectix", _VHD),
    Signature(0, b"vhdxfile", f"is a virtual disk (VHDX); {_TO_RAW}"),
    Signature(0, b"KDMV", f"is a virtual disk (VMDK); {_TO_RAW}"),
    Signature(0, b"COWD", f"is a virtual disk (VMDK); {_TO_RAW}"),
    Signature(0, b"# Disk DescriptorFile", f"is the head of a virtual disk (VMDK); {_TO_RAW}"),
    Signature(64, b"\x7f\x10\xda\xbe", f"is a virtual disk (VDI); {_TO_RAW}"),
)

FILE_SYSTEMS = (
    Signature(3, b"NTFS    ", f"is an NTFS file system; {_ATTACH}"),
    Signature(3, b"EXFAT   ", f"is an exFAT file system; {_ATTACH}"),
    Signature(3, b"-FVE-FS-", f"is a file system encrypted by Windows (BitLocker); {_ATTACH}"),
    Signature(54, b"FAT12   ", _FAT),
    Signature(54, b"FAT16   ", _FAT),
    Signature(82, b"FAT32   ", _FAT),
    Signature(0, b"XFSB", f"is an XFS file system; {_ATTACH}"),
    Signature(0x10040, b"_BHRfS_M", f"is a btrfs file system; {_ATTACH}"),
    Signature(0, b"hsqs", _SQUASHFS),
    Signature(0, b"sqsh", _SQUASHFS),
    Signature(0, b"\x45\x3d\xcd\x28", _CRAMFS),
    Signature(0, b"\x28\xcd\x3d\x45", _CRAMFS),
    Signature(0, b"-rom1fs-", f"is a romfs file system; {_ATTACH}"),
    Signature(
        0, b"LUKS\xba\xbe", "is encrypted (LUKS); open it with: cryptsetup open -r {name} NAME"
    ),
    Signature(512, b"LABELONE", f"is a physical volume of LVM; {_ATTACH}"),
    Signature(4086, b"SWAPSPACE2", "is swap space of Linux, which holds no files"),
    Signature(_FIRST_SUPERBLOCK, b"\xe2\xe1\xf5\xe0", f"is an EROFS file system; {_ATTACH}"),
    Signature(_FIRST_SUPERBLOCK, b"\x10\x20\xf5\xf2", f"is an F2FS file system; {_ATTACH}"),
    Signature(_FIRST_SUPERBLOCK, b"H+\0\4", _HFS_PLUS),
    Signature(_FIRST_SUPERBLOCK, b"HX\0\5", _HFS_PLUS),
    Signature(
        _FIRST_SUPERBLOCK, b"BD", "is an HFS file system of a Mac; unpack it with: 7z x {name}"
    ),
    Signature(32, b"NXSB", "is an APFS file system of a Mac; apfs-fuse shows it"),
    Signature(0, b"DOS\0", "is a disk of an Amiga (ADF); unpack it with: unadf {name}"),
    Signature(0, b"DOS\1", "is a disk of an Amiga (ADF); unpack it with: unadf {name}"),
)

OTHER_FILES = (
    Signature(0, b"\x1f\x9d", "is compressed; unpack it first with: gzip -dc <{name} >disc.iso"),
    Signature(0, b"LZIP", "is compressed; unpack it first with: lzip -dc <{name} >disc.iso"),
    Signature(0, b"070701", _CPIO),
    Signature(0, b"070702", _CPIO),
    Signature(0, b"070707", _CPIO),
    Signature(0, b"\xc7\x71", _CPIO),
    Signature(8, b"WAVE", "is sound (WAV); a player such as VLC plays it"),
    Signature(8, b"AIFF", "is sound (AIFF); a player such as VLC plays it"),
    Signature(8, b"AIFC", "is sound (AIFF-C); a player such as VLC plays it"),
    Signature(8, b"imag", f"is an image of Easy CD Creator (.cif); {_CDEMU}"),
    Signature(0, b"fLaC", "is sound (FLAC); a player such as VLC plays it"),
    Signature(0, b"ID3", "is sound (MP3); a player such as VLC plays it"),
    Signature(0, b"OggS", "is sound (Ogg); a player such as VLC plays it"),
    Signature(0, b"\0\0\1\xba", "is video (MPEG); a player such as VLC plays it"),
    Signature(4, b"ftyp", "is video or sound (MP4); a player such as VLC plays it"),
    Signature(
        8,
        b"AI\2",
        "is a program for Linux (AppImage); it unpacks itself: {name} --appimage-extract",
    ),
    Signature(0, b"\x7fELF", "is a program for Linux, no disc image"),
    Signature(0, b"%PDF-", "is a PDF document, no disc image"),
)

# Two bytes alone: after all that say more.
WEAK = (
    Signature(_FIRST_SUPERBLOCK + 56, b"\x53\xef", _EXT),
    Signature(0, b"MZ", "is a program for Windows; if it unpacks itself: 7z x {name}"),
)


SIGNATURES = (*CONTAINERS, *DISCS, *FILE_SYSTEMS, *OTHER_FILES, *WEAK)


def first_of(signatures: Iterable[Signature], reader: Reader) -> str | None:
    """What the first of ``signatures`` that is there says."""
    for offset, magic, words in signatures:
        at = offset if offset >= 0 else reader.size + offset
        if 0 <= at <= reader.size - len(magic) and reader.read(at, len(magic)) == magic:
            return words
    return None
