"""Which views an image has and which one is shown."""

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from isomount.blocks import Reader
from isomount.damage import Damage, Unheard
from isomount.errors import DamagedImageError, IsomountError, NotAnImageError, UsageError
from isomount.formats import iso9660, udf
from isomount.formats.base import View
from isomount.formats.disc.sessions import Session, bytes_missing, choose_session
from isomount.formats.options import Family, ViewOptions

if TYPE_CHECKING:
    from isomount.containers.discs.source import DiscSource
    from isomount.formats.compare import Losses

_Found = TypeVar("_Found")
# The image byte where volumes of either kind announce themselves.
_RECOGNITION = 32768


class Views(NamedTuple):
    """The names of the views that an image has, and the one that was chosen.

    ``session`` is the one it belongs to. ``remark`` is a sentence for people about what the chosen
    view does not show and another does, "" where it shows everything.
    """

    names: list[str]
    chosen: View
    session: Session = Session()
    remark: str = ""


def find_views(
    reader: Reader,
    options: ViewOptions,
    name: str,
    damage: Damage,
    tracks: "DiscSource | None" = None,
) -> Views:
    """The views of the image called ``name``, and the one to show.

    ``tracks`` are those of a disc that the reader reads, where they are known.

    ``options.view`` chooses the family. Without it the side that loses less of the other is shown
    (see compare.py), UDF where neither does, of the ISO 9660 family its best tree.

    Raises NotAnImageError when there is no view, DamagedImageError when none of those wanted can
    be read, UsageError when options ask for what the image does not have.
    """
    if reader.size == 0:
        raise NotAnImageError(f"{name}: is empty (0 bytes); copy or download it again")
    known = {} if tracks is None else tracks.sessions
    session, failure = _attempt(name, lambda: choose_session(reader, options, damage, known))
    session = session or Session()
    found = _views(reader, session.applied_to(options), name, damage, tracks)
    if isinstance(failure, UsageError):
        raise failure
    return found._replace(session=session)


def _views(
    reader: Reader,
    options: ViewOptions,
    name: str,
    damage: Damage,
    tracks: "DiscSource | None",
) -> Views:
    """The views of the session that ``options`` place."""
    universal, udf_failure = _attempt(name, lambda: udf.find(reader, options, name, damage))
    iso, iso_failure = _attempt(name, lambda: iso9660.find(reader, options, name, damage, tracks))
    asked = options.view
    if universal is None and udf_failure is None and (iso is None or asked is Family.UDF):
        universal = _unannounced(reader, options, name, damage)
    names = [universal.name] if universal else []
    names += iso.trees if iso else []
    if universal is not None and asked is not Family.ISO9660:
        if iso is None or asked is Family.UDF:
            return Views(names, universal)
        if _has_files(universal, reader, damage):
            return _richer(reader, options, names, iso.view, universal)
    if iso is not None and asked is not Family.UDF:
        if udf_failure is not None:
            damage.note(_RECOGNITION, f"the UDF side cannot be read: {udf_failure}")
        return Views(names, iso.view)
    failures = {Family.UDF: udf_failure, Family.ISO9660: iso_failure}
    failure = failures.get(asked, udf_failure or iso_failure)
    raise _refusal(reader, options, name, names, failure, is_disc=tracks is not None)


def _unannounced(
    reader: Reader, options: ViewOptions, name: str, damage: Damage
) -> udf.UdfView | None:
    """UDF without a recognition sequence, by its anchors.

    It is sought where nothing else is found, as anchors can be in many places.
    """
    options = dataclasses.replace(options, novrs=True)
    found, _ = _attempt(name, lambda: udf.find(reader, options, name, damage))
    if found is not None:
        damage.note(_RECOGNITION, "the volume recognition sequence of UDF is missing")
    return found


def _refusal(
    reader: Reader,
    options: ViewOptions,
    name: str,
    names: list[str],
    failure: IsomountError | None,
    *,
    is_disc: bool,
) -> IsomountError:
    """Why nothing is shown of an image that has the views ``names``."""
    from isomount.formats import unrecognised  # a mount of an image does without

    wanted = {Family.UDF: "UDF", Family.ISO9660: "ISO 9660"}.get(options.view)
    if failure is None and names:
        return UsageError(f"{name}: holds no {wanted} volume; it has {', '.join(names)}")
    if failure is None:
        if wanted:
            return NotAnImageError(f"{name}: holds no {wanted} volume")
        unknown = unrecognised.NO_VOLUME if is_disc else unrecognised.UNKNOWN
        return NotAnImageError(f"{name}: {unrecognised.describe(reader, name, unknown)}")
    container = unrecognised.container(reader, name)
    if container is not None:
        return NotAnImageError(f"{name}: {container}")
    missing = bytes_missing(reader, options.sbsector or 0)
    if not missing:
        return failure
    return DamagedImageError(
        f"{name}: is cut off at byte {reader.size}, {missing} bytes are missing, and what is there "
        "does not lead to a file; copy or download it again"
    )


def _richer(
    reader: Reader,
    options: ViewOptions,
    names: list[str],
    iso: iso9660.Iso9660View,
    universal: udf.UdfView,
) -> Views:
    """Of the two sides of a bridge the one that loses less, with a remark where both lose."""
    from isomount.formats.compare import compare, needs_udf  # only bridges need it

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


def _remark(shown: View, lost: "Losses", other: View, other_lost: "Losses", family: Family) -> str:
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
    universal, _ = _attempt("", lambda: udf.find(reader, neutral, "", Unheard()))
    iso, _ = _attempt("", lambda: iso9660.find(reader, neutral, "", Unheard()))
    return _Sides(iso.view, universal) if iso and universal else None


def _attempt(
    name: str, find: Callable[[], _Found | None]
) -> tuple[_Found | None, IsomountError | None]:
    """The result of ``find`` or its error, which matters only if nothing else is found."""
    try:
        return find(), None
    except IsomountError as error:
        return None, error
    except OSError as error:
        return None, DamagedImageError(
            f"{name}: cannot be read where it says what it is: {error.strerror}; copy it again"
        )


def _has_files(view: udf.UdfView, reader: Reader, damage: Damage) -> bool:
    try:
        return not view.is_empty(reader)
    except (IsomountError, OSError) as error:
        damage.note(view.root, f"the root directory of the UDF volume cannot be read: {error}")
        return False
