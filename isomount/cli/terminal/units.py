"""Sizes and times as people read them."""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS = ("bytes", "KB", "MB", "GB", "TB", "PB", "EB")


def readable_size(size: int) -> str:
    """A size in the unit that fits: "512 bytes", "1.5 MB" (of 1000 each, as disc makers count)."""
    number = float(size)
    for unit in _UNITS:
        if number < 999.5 or unit == _UNITS[-1]:
            break
        number /= 1000
    return f"{size} bytes" if unit == "bytes" else f"{number:.3g} {unit}"


def moment(nanoseconds: int) -> datetime | None:
    """A time in UTC; None beyond the years that have a date (1 to 9999)."""
    try:
        return _EPOCH + timedelta(seconds=nanoseconds // 10**9)
    except OverflowError:
        return None
