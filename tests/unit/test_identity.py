"""Which program made an image."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isomount.formats.identity import Identity, authoring_tool


@pytest.mark.parametrize(
    ("field", "text", "tool"),
    [
        ("preparer", "XORRISO-1.5.4 2021.01.30.150001, LIBISOBURN-1.5.4", "xorriso 1.5.4"),
        ("application", "GENISOIMAGE ISO 9660/HFS FILESYSTEM CREATOR (C) 1993", "genisoimage"),
        ("application", "K3B THE CD KREATOR VERSION 0.9 (C) 2003 SEBASTIAN TRUEG", "K3b 0.9"),
        ("application", "ImgBurn v2.5.8.0", "ImgBurn 2.5.8.0"),
        ("application", "CDIMAGE 2.56 (01/01/2005 TM)", "Microsoft CDIMAGE 2.56"),
        ("application", "ULTRAISO V9.3 CD & DVD CREATOR", "UltraISO 9.3"),
        ("system", "*Linux UDFFS", "mkudffs (udftools)"),
        ("system", "*Microsoft Windows", "Windows"),
        ("application", "MKISOFS ISO9660/HFS/UDF FILESYSTEM BUILDER", "mkisofs"),
        ("application", "SOMETHING ELSE", ""),
    ],
)
def test_known_programs(field: str, text: str, tool: str) -> None:
    found: dict[str, Any] = {field: text}
    identity = Identity("ISO 9660", "LABEL", **found)
    assert authoring_tool([Identity("Joliet", "x"), identity]) == tool


@given(st.lists(st.text(), max_size=3))
def test_any_text(texts: list[str]) -> None:
    tool = authoring_tool([Identity("UDF", text, preparer=text) for text in texts])
    assert "\n" not in tool
