"""El Torito boot catalogs, parsed from bytes."""

from hypothesis import given
from hypothesis import strategies as st

from isomount.formats.disc.boot import BootEntry, parse_catalog, read_catalog

_ENTRY = 32


class Bytes:
    """A reader of bytes in memory."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.size = len(data)

    def read(self, offset: int, length: int) -> bytes:
        return self._data[offset : offset + length]

    def decoded(self, coded: object, offset: int, length: int) -> bytes:
        raise NotImplementedError


def validation(platform: int = 0, identifier: bytes = b"maker") -> bytes:
    head = bytes([1, platform, 0, 0]) + identifier.ljust(24, b"\0")
    words = head + b"\0\0\x55\xaa"
    total = sum(int.from_bytes(words[at : at + 2], "little") for at in range(0, _ENTRY, 2))
    return head + (-total & 0xFFFF).to_bytes(2, "little") + b"\x55\xaa"


def packed(entry: BootEntry) -> bytes:
    return bytes(
        [
            0x88 if entry.bootable else 0,
            entry.media,
            *entry.load_segment.to_bytes(2, "little"),
            entry.system_type,
            0,
            *entry.sectors.to_bytes(2, "little"),
            *entry.block.to_bytes(4, "little"),
        ]
    ).ljust(_ENTRY, b"\0")


def section(platform: int, entries: list[BootEntry], *, last: bool) -> bytes:
    header = bytes([0x91 if last else 0x90, platform, *len(entries).to_bytes(2, "little")])
    return header.ljust(_ENTRY, b"\0") + b"".join(map(packed, entries))


def entries_of(platform: int) -> st.SearchStrategy[BootEntry]:
    return st.builds(
        BootEntry,
        platform=st.just(platform),
        bootable=st.booleans(),
        media=st.integers(0, 4),
        load_segment=st.integers(0, 0xFFFF),
        system_type=st.integers(0, 255),
        sectors=st.integers(0, 0xFFFF),
        block=st.integers(0, 0xFFFFFFFF),
    )


@given(
    entries_of(0),
    st.lists(entries_of(0xEF), min_size=1, max_size=4),
    st.lists(entries_of(1), min_size=1, max_size=4),
)
def test_what_is_written_is_read(
    initial: BootEntry, efi: list[BootEntry], others: list[BootEntry]
) -> None:
    data = validation() + packed(initial)
    data += section(0xEF, efi, last=False) + section(1, others, last=True)
    catalog = parse_catalog(7, data.ljust(2048, b"\0"))
    assert catalog.is_sound
    assert (catalog.block, catalog.identifier) == (7, "maker")
    assert catalog.entries == (initial, *efi, *others)


@given(st.binary(max_size=4096))
def test_anything_is_parsed(data: bytes) -> None:
    catalog = parse_catalog(0, data)
    assert len(catalog.entries) <= len(data) // _ENTRY


def test_a_catalog_that_the_image_ends_in_has_no_entries() -> None:
    assert parse_catalog(0, b"\1").entries == ()


@given(st.integers(0, _ENTRY - 1), st.integers(1, 255))
def test_a_changed_byte_makes_it_unsound(at: int, change: int) -> None:
    data = bytearray(validation())
    data[at] ^= change
    assert not parse_catalog(0, bytes(data)).is_sound


def test_extensions_are_passed_over() -> None:
    first = BootEntry(0xEF, True, 0, 0, 0, 1, 100)
    second = first._replace(block=200)
    header = bytes([0x91, 0xEF, 2, 0]).ljust(_ENTRY, b"\0")
    announcing = bytearray(packed(first))
    announcing[1] |= 0x20
    extensions = bytes([0x44, 0x20]).ljust(_ENTRY, b"x") + bytes([0x44, 0]).ljust(_ENTRY, b"x")
    data = validation() + packed(first) + header + announcing + extensions + packed(second)
    assert [entry.block for entry in parse_catalog(0, data).entries] == [100, 100, 200]


def test_the_boot_record_is_found_among_the_descriptors() -> None:
    record = (b"\0CD001\1EL TORITO SPECIFICATION".ljust(71, b"\0") + b"\x14\0\0\0").ljust(
        2048, b"\0"
    )
    primary = b"\1CD001\1".ljust(2048, b"\0")
    end = b"\xffCD001\1".ljust(2048, b"\0")
    entry = BootEntry(0, True, 0, 0x7C0, 0, 4, 21)
    catalog = (validation() + packed(entry)).ljust(2048, b"\0")
    before = bytes(16 * 2048)
    image = before + primary + record + end + bytes(2048) + catalog
    found = read_catalog(Bytes(image))
    assert found is not None
    assert (found.block, found.entries) == (20, (entry,))
    assert read_catalog(Bytes(before + primary + end + record + catalog)) is None
    assert read_catalog(Bytes(b"")) is None
