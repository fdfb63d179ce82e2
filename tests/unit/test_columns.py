"""Columns on a terminal, by what its characters take there."""

import pytest

from isomount.cli.terminal.columns import aligned, padded, width


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("", 0),
        ("abc", 3),
        ("ünï", 3),
        ("u\u0308", 1),  # composed
        ("日本語", 6),
        ("ｶﾅ", 2),  # half
        ("\uff21", 2),  # full
        ("👍", 2),
        ("a\u200db", 2),
    ],
)
def test_width(text: str, columns: int) -> None:
    assert width(text) == columns
    assert width(padded(text, 9)) == 9


def test_rows_stand_below_each_other() -> None:
    rows = [("NAME", "SIZE", "LAST"), ("日本", "1", "x"), ("long name", "22", "")]
    assert list(aligned(rows)) == [
        "NAME       SIZE  LAST",
        "日本       1     x",
        "long name  22    ",
    ]
