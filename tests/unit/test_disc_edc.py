"""The EDC of sectors, checked by folding."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isomount.containers.discs import edc as module
from isomount.containers.discs.edc import edc, is_right, part
from tests.containers import raw_sectors

# (x^16 + x^15 + x^2 + 1) (x^16 + x^2 + x + 1) of ECMA-130 14.3, its lowest power first.
WHOLE = 0x1B0030003


def remainder(exponents: tuple[int, ...]) -> int:
    """Of the polynomial with these exponents, bit by bit."""
    number = 0
    for exponent in exponents:
        number ^= 1 << exponent
    while number.bit_length() > 32:
        number ^= WHOLE << number.bit_length() - 33
    return number


def test_what_is_folded_by_is_a_multiple() -> None:
    for top, others in module._MULTIPLES:
        assert remainder((top, *others, 0)) == 0
        assert top > max(others)


@settings(max_examples=60)
@given(st.binary(max_size=2400), st.data())
def test_as_byte_by_byte(data: bytes, draw: st.DataObject) -> None:
    whole = data + edc(data).to_bytes(4, "little")
    assert edc(data).to_bytes(4, "little") == raw_sectors.edc(data)
    assert is_right(whole)
    at = draw.draw(st.integers(0, 8 * len(whole) - 1))
    damaged = bytearray(whole)
    damaged[at // 8] ^= 1 << at % 8
    assert not is_right(bytes(damaged))
    assert is_right(data) == (edc(data) == 0)


@pytest.mark.parametrize(
    "sector",
    [
        raw_sectors.mode1(b"a" * 2048, 5),
        raw_sectors.form1(b"b" * 2048, 5),
        raw_sectors.form2(b"c" * 2324, 5),
    ],
)
def test_which_bytes_it_is_about(sector: bytes) -> None:
    where = part(sector)
    assert where is not None
    assert is_right(sector[where])
    if sector[15] == 2:
        missing = part(sector[16:], 16)
        assert missing == where


def test_sectors_that_have_none() -> None:
    assert part(raw_sectors.form2(b"c", 5, has_edc=False)) is None
    assert part(raw_sectors.mode0(5)) is None
