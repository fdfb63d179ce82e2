"""How long an image says it is, before its end has been seen."""

from collections.abc import Callable

# The primary volume descriptor, and in it the volume space size, the logical block size in both
# byte orders (ECMA-119 8.4.8, 8.4.12).
_DESCRIPTOR, _SPACE_AT, _BLOCK_AT = 32768, 80, 128
_PRIMARY = b"\1CD001"
# So many bytes from an image's beginning are looked at.
DESCRIBED = _DESCRIPTOR + _BLOCK_AT + 2


def stated_length(read: Callable[[int, int], bytes]) -> int:
    """The bytes that the ISO 9660 volume which ``read`` reads says it has; 0 if it is none.

    ``read`` takes offset and length.
    """
    descriptor = read(_DESCRIPTOR, _BLOCK_AT + 2)
    if len(descriptor) < _BLOCK_AT + 2 or not descriptor.startswith(_PRIMARY):
        return 0
    blocks = int.from_bytes(descriptor[_SPACE_AT : _SPACE_AT + 4], "little")
    return blocks * int.from_bytes(descriptor[_BLOCK_AT : _BLOCK_AT + 2], "little")
