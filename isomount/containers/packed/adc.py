"""Apple Data Compression (ADC), which old disk images of a Mac are packed by."""

from isomount.errors import DamagedDataError

# The first byte of a code: bytes as they are; a long copy with a place of 16 bits; else a short one
# with a place of 10 bits.
_PLAIN, _LONG = 0x80, 0x40
_PLAIN_LEAST, _LONG_LEAST, _SHORT_LEAST = 1, 4, 3


def unpack_adc(stored: bytes, size: int) -> bytes:
    """At most ``size`` bytes out of an ADC stream. Raises DamagedDataError."""
    made = bytearray()
    at = 0
    while at + 1 < len(stored) and len(made) < size:
        code = stored[at]
        if code & _PLAIN:
            length = (code & ~_PLAIN) + _PLAIN_LEAST
            made += stored[at + 1 : at + 1 + length]
            at += 1 + length
            continue
        if code & _LONG:
            length = (code & ~_LONG) + _LONG_LEAST
            back = int.from_bytes(stored[at + 1 : at + 3], "big") + 1
            at += 3
        else:
            length = (code >> 2) + _SHORT_LEAST
            back = (code & 3) << 8 | stored[at + 1]
            back += 1
            at += 2
        if back > len(made):
            raise DamagedDataError("adc data is damaged: it refers to what is before its beginning")
        piece = made[len(made) - back :][:length]
        made += (piece * (length // len(piece) + 1))[:length]
    return bytes(made[:size])
