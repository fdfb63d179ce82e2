"""Which views an image has and which one is shown."""

import dataclasses
from collections.abc import Callable
from typing import NamedTuple, TypeVar

from isomount.blocks import Reader
from isomount.damage import Damage, Unheard
from isomount.errors import DamagedImageError, IsomountError, NotAnImageError, UsageError
from isomount.formats import iso9660, udf
from isomount.formats import unrecognised as strangers
from isomount.formats.base import View
from isomount.formats.compare import Losses, compare, needs_udf
from isomount.formats.disc.sessions import Session, choose_session
from isomount.formats.options import Family, ViewOptions

_Found = TypeVar("_Found")


class Views(NamedTuple):
    """The names of the views that an image has, and the one that was chosen.

    ``session`` is the one it belongs to. ``remark`` is a sentence for people about what the chosen
    view does not show and another does, "" where it shows everything.
    """

    names: list[str]
    chosen: View
    session: Session = Session()
    remark: str = ""


def find_views(reader: Reader, options: ViewOptions, name: str, damage: Damage) -> Views:
    """The views of the image called ``name``, and the one to show.

    ``options.view`` chooses the family. Without it the side that loses less of the other is shown
    (see compare.py), UDF where neither does, of the ISO 9660 family its best tree.

    Raises NotAnImageError when there is no view, DamagedImageError when none of those wanted can
    be read, UsageError when options ask for what the image does not have.
    """
    if reader.size == 0:
        raise NotAnImageError(f"{name}: is empty (0 bytes); copy or download it again")
    session, failure = _attempt(lambda: choose_session(reader, options, damage))
    session = session or Session()
    found = _views(reader, session.applied_to(options), name, damage)
    if isinstance(failure, UsageError):
        raise failure
    return found._replace(session=session)


def _views(reader: Reader, options: ViewOptions, name: str, damage: Damage) -> Views:
    """The views of the session that ``options`` place."""
    universal, udf_failure = _attempt(lambda: udf.find(reader, options, name, damage))
    iso, iso_failure = _attempt(lambda: iso9660.find(reader, options, name, damage))
    names = [universal.name] if universal else []
    names += iso.trees if iso else []
    if options.view is Family.UDF:
        return Views(names, _wanted(universal, udf_failure, f"{name}: holds no UDF volume", names))
    if options.view is Family.ISO9660:
        view = iso.view if iso else None
        return Views(names, _wanted(view, iso_failure, f"{name}: holds no ISO 9660 volume", names))
    if universal is not None and iso is not None and _has_files(universal, reader, damage):
        return _richer(reader, options, names, iso.view, universal)
    if iso is not None:
        return Views(names, iso.view)
    if universal is not None:
        return Views(names, universal)
    stranger = f"{name}: {strangers.describe(reader, name)}"
    raise udf_failure or iso_failure or NotAnImageError(stranger)


def _richer(
    reader: Reader,
    options: ViewOptions,
    names: list[str],
    iso: iso9660.Iso9660View,
    universal: udf.UdfView,
) -> Views:
    """Of the two sides of a bridge the one that loses less, with a remark where both lose."""
    plain = _as_recorded(reader, options)
    if plain is None or needs_udf(reader, plain.universal):
        return Views(names, universal)
    posix = plain.iso.name == iso9660.Tree.ROCK_RIDGE.value
    found = compare(reader, plain.iso, plain.universal, posix=posix)
    if found.iso_is_richer:
        remark = _remark(iso, found.iso, universal, found.udf, Family.UDF)
        return Views(names, iso, remark=remark)
    remark = _remark(universal, found.udf, iso, found.iso, Family.ISO9660)
    return Views(names, universal, remark=remark)


def _remark(shown: View, lost: Losses, other: View, other_lost: Losses, family: Family) -> str:
    if not any(lost):
        return ""
    return (
        f"{shown.name} is shown, which lacks {lost}; -o view={family.value} shows {other.name}, "
        f"which lacks {other_lost}"
    )


class _Sides(NamedTuple):
    iso: iso9660.Iso9660View
    universal: udf.UdfView


def _as_recorded(reader: Reader, options: ViewOptions) -> _Sides | None:
    """Both sides with modes and owners as recorded: who looks does not change what is richer."""
    neutral = dataclasses.replace(
        options, uid=None, gid=None, mode=None, dmode=None, umask=0, overriderockperm=False
    )
    universal, _ = _attempt(lambda: udf.find(reader, neutral, "", Unheard()))
    iso, _ = _attempt(lambda: iso9660.find(reader, neutral, "", Unheard()))
    return _Sides(iso.view, universal) if iso and universal else None


def _attempt(find: Callable[[], _Found | None]) -> tuple[_Found | None, IsomountError | None]:
    """What ``find`` finds; its failure is kept until it is known whether it matters."""
    try:
        return find(), None
    except IsomountError as error:
        return None, error
    except OSError as error:
        return None, DamagedImageError(f"the image cannot be read: {error.strerror}")


def _wanted(
    view: View | None, failure: IsomountError | None, missing: str, names: list[str]
) -> View:
    if view is not None:
        return view
    if failure is not None:
        raise failure
    if names:
        raise UsageError(f"{missing}; it has {', '.join(names)}")
    raise NotAnImageError(missing)


def _has_files(view: udf.UdfView, reader: Reader, damage: Damage) -> bool:
    try:
        return not view.is_empty(reader)
    except (IsomountError, OSError) as error:
        damage.note(view.root, f"the root directory of the UDF volume cannot be read: {error}")
        return False
