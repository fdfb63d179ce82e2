"""Formatting sizes and times."""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS = ("bytes", "KB", "MB", "GB", "TB", "PB", "EB")


def readable_size(size: int) -> str:
    """A size in a suitable unit, such as "512 bytes" or "1.5 MB"; units are powers of 1000."""
    number = float(size)
    for unit in _UNITS:
        if number < 999.5 or unit == _UNITS[-1]:
            break
        number /= 1000
    return f"{size} bytes" if unit == "bytes" else f"{number:.3g} {unit}"


def moment(nanoseconds: int) -> datetime | None:
    """A time in UTC; None outside the years 1 to 9999, which datetime supports."""
    try:
        return _EPOCH + timedelta(seconds=nanoseconds // 10**9)
    except OverflowError:
        return None
