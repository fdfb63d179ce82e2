"""The limits of Linux for extended attributes, which also bound what a hostile image can claim."""

from collections.abc import Iterable

from isomount.damage import Damage

# XATTR_NAME_MAX, XATTR_SIZE_MAX and XATTR_LIST_MAX.
_NAME_MAX = 255
VALUE_MAX = 64 << 10
_NAMES_MAX = 64 << 10
_TOTAL_MAX = 4 << 20


def possible(
    found: Iterable[tuple[bytes, bytes]], address: int, damage: Damage
) -> dict[bytes, bytes]:
    """Names and values as far as Linux can show them; of equal names the first counts.

    What is left out is noted as damage at image byte ``address``.
    """
    shown: dict[bytes, bytes] = {}
    names = total = 0
    for name, value in found:
        if len(name) > _NAME_MAX or len(value) > VALUE_MAX:
            damage.note(address, "an extended attribute is longer than can be shown")
            continue
        names += len(name) + 1
        total += len(value)
        if names > _NAMES_MAX or total > _TOTAL_MAX:
            damage.note(address, "more extended attributes than can be shown")
            break
        shown.setdefault(name, value)
    return shown
