"""Which views an image has and which one is shown."""

from collections.abc import Callable
from typing import NamedTuple, TypeVar

from isomount.blocks import Reader
from isomount.damage import Damage
from isomount.errors import DamagedImageError, IsomountError, NotAnImageError, UsageError
from isomount.formats import iso9660, udf
from isomount.formats import unrecognised as strangers
from isomount.formats.base import View
from isomount.formats.options import Family, ViewOptions

_Found = TypeVar("_Found")


class Views(NamedTuple):
    """The names of the views that an image has, and the one that was chosen."""

    names: list[str]
    chosen: View


def find_views(reader: Reader, options: ViewOptions, name: str, damage: Damage) -> Views:
    """The views of the image called ``name``.

    UDF is shown where a valid and not empty UDF volume is there, as mount(8) does, else the best
    tree of the ISO 9660 family; ``options.view`` chooses the family.

    Raises NotAnImageError when there is no view, DamagedImageError when none of those wanted can
    be read, UsageError when options ask for what the image does not have.
    """
    if reader.size == 0:
        raise NotAnImageError(f"{name}: is empty (0 bytes); copy or download it again")
    universal, udf_failure = _attempt(lambda: udf.find(reader, options, name, damage))
    iso, iso_failure = _attempt(lambda: iso9660.find(reader, options, name, damage))
    names = [universal.name] if universal else []
    names += iso.trees if iso else []
    if options.view is Family.UDF:
        return Views(names, _wanted(universal, udf_failure, f"{name}: holds no UDF volume", names))
    if options.view is Family.ISO9660:
        view = iso.view if iso else None
        return Views(names, _wanted(view, iso_failure, f"{name}: holds no ISO 9660 volume", names))
    if universal is not None and (iso is None or _has_files(universal, reader, damage)):
        return Views(names, universal)
    if iso is not None:
        return Views(names, iso.view)
    failure = udf_failure or iso_failure
    inside = failure and strangers.container(reader, name)
    if failure and not inside:
        raise failure
    raise NotAnImageError(f"{name}: {inside or strangers.describe(reader, name)}")


def _attempt(find: Callable[[], _Found | None]) -> tuple[_Found | None, IsomountError | None]:
    """The result of ``find`` or its error, which matters only if nothing else is found."""
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
