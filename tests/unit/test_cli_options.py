"""The option table and the parser of -o."""

import contextlib
import dataclasses
import grp
import os
import pwd

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isomount.cli.options.help import options_help
from isomount.cli.options.parse import parse_options, split_options
from isomount.cli.options.table import TABLE, Target
from isomount.errors import UsageError
from isomount.formats.options import Check, Family, Map, ViewOptions
from isomount.mounting.options import FuseOptions


def test_every_field_has_an_option_and_every_option_a_field() -> None:
    for target, kind in ((Target.VIEW, ViewOptions), (Target.FUSE, FuseOptions)):
        fields = {field.name for field in dataclasses.fields(kind)}
        set_by_options = {each.field for each in TABLE.values() if each.target is target} - {""}
        # Which owners there are is the user namespace's matter.
        assert set_by_options == fields - {"uids", "gids"}


def test_help_names_every_option() -> None:
    text = options_help()
    for option in TABLE.values():
        assert option.usage in text


def test_nothing_asked_for_is_the_default() -> None:
    parsed = parse_options([])
    assert parsed.view == ViewOptions()
    assert parsed.fuse == FuseOptions()
    assert (parsed.nonempty, parsed.log, parsed.asks_to_write) == (False, None, False)


@pytest.mark.parametrize(
    ("words", "field", "value"),
    [
        ("view=udf", "view", Family.UDF),
        ("view=iso9660", "view", Family.ISO9660),
        ("norock", "norock", True),
        ("nojoliet", "nojoliet", True),
        ("map=off", "map", Map.OFF),
        ("map=o", "map", Map.OFF),
        ("map=acorn", "map", Map.ACORN),
        ("map=a", "map", Map.ACORN),
        ("map=a,map=n", "map", Map.NORMAL),
        ("check=relaxed", "relaxed", True),
        ("check=r", "relaxed", True),
        ("check=strict", "relaxed", False),
        ("check=s", "relaxed", False),
        ("check=edc", "relaxed", None),
        ("check=edc", "check", Check.EDC),
        ("hide", "hide", True),
        ("unhide", "unhide", True),
        ("showassoc", "showassoc", True),
        ("undelete", "undelete", True),
        ("cruft", "cruft", True),
        ("nocompress", "nocompress", True),
        ("overriderockperm", "overriderockperm", True),
        ("novrs", "novrs", True),
        ("uid=7", "uid", 7),
        ("uid=root", "uid", 0),
        ("gid=4294967294", "gid", 4294967294),
        ("uid=7,uid=forget", "uid", None),
        ("mode=0640", "mode", 0o640),
        ("dmode=750", "dmode", 0o750),
        ("umask=077", "umask", 0o77),
        ("iocharset=cp437", "charset", "cp437"),
        ("iocharset=iso8859-1", "charset", "iso8859-1"),
        ("iocharset=euc-jp", "charset", "euc_jp"),
        ("iocharset=macroman", "charset", "mac-roman"),
        ("iocharset=maccyrillic", "charset", "mac-cyrillic"),
        ("iocharset=cp437,utf8", "charset", "utf-8"),
        ("session=2", "session", 2),
        ("session=last", "session", -1),
        ("session=-1", "session", -1),
        ("sbsector=100", "sbsector", 100),
        ("bs=4096", "bs", 4096),
        ("anchor=512", "anchor", 512),
        ("lastblock=319", "lastblock", 319),
    ],
)
def test_view_option(words: str, field: str, value: object) -> None:
    assert getattr(parse_options([words]).view, field) == value


@pytest.mark.parametrize(
    ("words", "field", "value"),
    [
        ("allow_other", "allow_other", True),
        ("allow_root", "allow_root", True),
        ("auto_unmount", "auto_unmount", True),
        ("max_read=65536", "max_read", 65536),
        ("fsname=disc\\, one", "fsname", "disc, one"),
        ("subtype=iso", "subtype", "iso"),
        ("noatime", "noatime", True),
        ("noatime,atime", "noatime", False),
        ("noexec", "noexec", True),
        ("noexec,exec", "noexec", False),
        ("nosymfollow", "nosymfollow", True),
    ],
)
def test_fuse_option(words: str, field: str, value: object) -> None:
    assert getattr(parse_options([words]).fuse, field) == value


def test_every_name_of_the_password_file_is_a_user() -> None:
    for entry in pwd.getpwall():
        assert parse_options([f"uid={entry.pw_name}"]).view.uid == entry.pw_uid
    for group in grp.getgrall():
        assert parse_options([f"gid={group.gr_name}"]).view.gid == group.gr_gid


def test_repeated_o_adds_up_and_the_last_value_wins() -> None:
    view = parse_options(["uid=1,gid=2", "norock", "uid=3"]).view
    assert (view.uid, view.gid, view.norock) == (3, 2, True)


def test_fstab_line_is_accepted_and_changes_nothing() -> None:
    line = (
        "ro,user,users,nouser,owner,group,noauto,auto,nofail,_netdev,defaults,comment=a b,comment,"
        "x-gvfs-show,x-systemd.automount,x-systemd.idle-timeout=1min,X-mount.mkdir=0755,user=joe,"
        "nodev,nosuid,suid,dev,sync,async,relatime,strictatime,loop,loop=/dev/loop3,block=2048,"
        "default_permissions,uhelper=udisks2,"
    )
    parsed = parse_options([line])
    assert parsed.view == ViewOptions()
    assert parsed.fuse == FuseOptions()
    assert not parsed.asks_to_write


@pytest.mark.parametrize(("words", "asks"), [("rw", True), ("rw,ro", False), ("ro,rw", True)])
def test_asking_to_write(words: str, asks: bool) -> None:
    assert parse_options([words]).asks_to_write is asks


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("norok", 'unknown option "norok"; did you mean "norock"?'),
        ("zzz=1", 'unknown option "zzz"; see isomount --help'),
        ("NOROCK", 'unknown option "NOROCK"'),
        ("remount", "unmount it"),
        ("norock=1", "norock takes no value"),
        ("uid", "uid needs a value: uid=USER"),
        ("uid=", "uid"),
        ("uid=no-such-user", "a user's number, or the name"),
        ("uid=-1", "a user's number, or the name"),
        ("uid=4294967295", "from 0 to 4294967294"),
        ("uid=٣", "a user's number, or the name"),
        ("gid=no-such-group", "a group's number, or the name"),
        ("uid=a\\000b", "a user's number"),
        ("mode=888", "an octal number"),
        ("mode=10000", "an octal number"),
        ("umask=", "an octal number"),
        ("umask=0o77", "an octal number"),
        ("map=x", "normal, off or acorn"),
        ("check=x", "relaxed, strict or edc"),
        ("view=x", "auto, iso9660 or udf"),
        ("session=0", 'a session counted from 1, or "last"'),
        ("session=x", 'a session counted from 1, or "last"'),
        ("sbsector=-5", "a whole number of 0 or more"),
        ("sbsector=99999999999999999999999", "a whole number of 0 or more"),
        ("anchor=0x100", "a whole number of 0 or more"),
        ("bs=1000", "one of 512, 1024"),
        ("block=4096", "one of 512, 1024, 2048"),
        ("iocharset=no-such-thing", "a character set"),
        ("iocharset=utf-16", "a character set that holds ASCII"),
        ("iocharset=hex", "a character set"),
        ("iocharset=rot13", "a character set"),
        ("iocharset=", "a character set"),
        ("max_read=1", "from 4096"),
        ("fsname=", "some text"),
        ("log=", "some text"),
        ("log=a\\000b", "some text"),
        ("allow_other,allow_root", "exclude each other"),
    ],
)
def test_refused(words: str, said: str) -> None:
    with pytest.raises(UsageError) as refusal:
        parse_options([words])
    assert said in str(refusal.value)
    assert refusal.value.exit_code == 2


@pytest.mark.parametrize(
    ("argument", "words"),
    [
        ("a,b", ["a", "b"]),
        (",,a,,", ["a"]),
        ("", []),
        ("fsname=a\\,b,c", ["fsname=a,b", "c"]),
        ("a\\\\,b", ["a\\", "b"]),
        ("a\\040b", ["a b"]),
        ("a\\0", ["a0"]),
        ("a\\777", ["a777"]),
        ("a\\", ["a\\"]),
        ("log=\udcff\\,", ["log=\udcff,"]),
        ("log=\\377", ["log=\udcff"]),
    ],
)
def test_split(argument: str, words: list[str]) -> None:
    assert split_options(argument) == words


@given(st.lists(st.binary(min_size=1)))
def test_what_is_escaped_comes_back(values: list[bytes]) -> None:
    argument = b",".join(value.replace(b"\\", b"\\\\").replace(b",", b"\\,") for value in values)
    assert split_options(os.fsdecode(argument)) == [os.fsdecode(value) for value in values]


@given(st.binary())
def test_any_bytes_are_parsed_or_refused(argument: bytes) -> None:
    with contextlib.suppress(UsageError):
        parse_options([os.fsdecode(argument)])
