"""Formatting times."""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def moment(nanoseconds: int) -> datetime | None:
    """A time in UTC; None outside the years 1 to 9999, which datetime supports."""
    try:
        return _EPOCH + timedelta(seconds=nanoseconds // 10**9)
    except OverflowError:
        return None
