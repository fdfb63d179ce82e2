"""The user's mimeapps.list: isomount's name goes in and out, and nothing else changes."""

import os
import stat
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isomount.desktop import defaults
from isomount.desktop.share import image_types
from isomount.errors import IsomountError

_OTHERS = [
    "[Added Associations]",
    "application/x-cd-image=rival.desktop;isomount.desktop;",
    "",
    "# mine",
    "text/plain=editor.desktop",
]
_CHOSEN = [
    "[Default Applications]",
    "application/x-cd-image=rival.desktop;",
    "application/vnd.efi.iso=rival.desktop;other.desktop;",
]


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path / "config"


def test_where_nothing_is_chosen(config: Path) -> None:
    assert not defaults.is_default()
    path = Path(defaults.become_default())
    assert path == config / "mimeapps.list"
    kinds = image_types()
    assert {"application/x-cd-image", "application/vnd.efi.iso", "application/x-cue"} <= set(kinds)
    lines = [f"{kind}=isomount.desktop;\n" for kind in kinds]
    assert path.read_text() == "[Default Applications]\n" + "".join(lines)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert defaults.is_default()
    before = path.stat().st_mtime_ns
    defaults.become_default()
    assert path.stat().st_mtime_ns == before
    assert defaults.give_back()
    assert not config.exists()
    assert not defaults.give_back()


@given(st.lists(st.sampled_from(_OTHERS)), st.lists(st.sampled_from(_OTHERS[2:])), st.booleans())
def test_what_was_there_comes_back(before: list[str], after: list[str], chosen: bool) -> None:
    lines = [*before, *(_CHOSEN if chosen else []), *after, "last=line", ""]
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as config:
        patch.setenv("XDG_CONFIG_HOME", config)
        path = Path(config, "mimeapps.list")
        path.write_text("\n".join(lines))
        path.chmod(0o600)
        defaults.become_default()
        assert defaults.is_default()
        text = path.read_text()
        assert text.count("=isomount.desktop;") == len(image_types())
        if chosen:
            assert "\napplication/x-cd-image=isomount.desktop;rival.desktop;\n" in text
        assert defaults.give_back()
        assert path.read_text() == "\n".join(lines)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_was_chosen_meanwhile_stays(config: Path) -> None:
    path = Path(defaults.become_default())
    path.write_text("[Default Applications]\napplication/x-cd-image=new.desktop;isomount.desktop\n")
    assert not defaults.is_default()
    assert defaults.give_back()
    assert path.read_text() == "[Default Applications]\napplication/x-cd-image=new.desktop;\n"


def test_a_link_stays_a_link(config: Path, tmp_path: Path) -> None:
    kept = tmp_path / "dotfiles.list"
    kept.write_text("")
    config.mkdir()
    (config / "mimeapps.list").symlink_to(kept)
    defaults.become_default()
    assert defaults.is_default()
    assert kept.read_text().count("=isomount.desktop") == len(image_types())
    defaults.give_back()
    assert kept.read_text() == ""
    assert (config / "mimeapps.list").readlink() == kept


def test_without_a_place(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config.write_text("in the way")
    with pytest.raises(IsomountError, match="move away the file"):
        defaults.become_default()
    assert not defaults.is_default()
    monkeypatch.delenv("XDG_CONFIG_HOME")
    monkeypatch.setenv("HOME", "")
    assert not defaults.give_back()
    with pytest.raises(IsomountError, match="neither HOME nor XDG_CONFIG_HOME"):
        defaults.become_default()
    assert os.listdir(config.parent) == ["config"]
