"""Choosing which tree of an ISO 9660 volume is shown: the richest one that can be read."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from isomount.blocks import Reader
from isomount.damage import Damage
from isomount.errors import DamagedImageError, IsomountError
from isomount.formats.iso9660.content import section_start
from isomount.formats.iso9660.descriptors import Descriptors, VolumeDescriptor, read_descriptors
from isomount.formats.iso9660.records import LOST, read_record
from isomount.formats.iso9660.root import with_true_root
from isomount.formats.iso9660.susp import fields, has_xa, skip_of
from isomount.formats.iso9660.view import Iso9660View, Tree
from isomount.formats.options import ViewOptions

if TYPE_CHECKING:
    from isomount.containers.discs.source import DiscSource

_XA_SIZE = 14


class Found(NamedTuple):
    """The names of a volume's trees, richest first, and the view that was chosen."""

    trees: list[str]
    view: Iso9660View


class _Candidate(NamedTuple):
    tree: Tree
    descriptor: VolumeDescriptor
    skip: int = 0


def find(
    reader: Reader,
    options: ViewOptions,
    name: str,
    damage: Damage,
    tracks: "DiscSource | None" = None,
) -> Found | None:
    """The view that ``options`` want of the image called ``name``, None without ISO 9660 in it.

    ``tracks`` are those of a disc that the reader reads, where they are known.

    Raises DamagedImageError when there is a volume but no tree of it can be read.
    """
    descriptors = _with_true_roots(reader, read_descriptors(reader, options.sbsector or 0), damage)
    candidates = list(_candidates(reader, descriptors, options, damage))
    if candidates:
        view = _open_best(reader, candidates, options, name, damage, tracks)
        if not view.label and descriptors.primary is not None:
            view.label = descriptors.primary.label_in(options.charset)
        return Found([candidate.tree.value for candidate in candidates], view)
    if descriptors.unusable is not None:
        raise DamagedImageError(
            f"{name}: the volume descriptor at byte {descriptors.unusable} makes no sense; the "
            "image is damaged or was not copied as it is"
        )
    return None


def _with_true_roots(reader: Reader, found: Descriptors, damage: Damage) -> Descriptors:
    """``found`` with what is wrong in them put right, and noted."""

    def right(descriptor: VolumeDescriptor | None) -> VolumeDescriptor | None:
        if descriptor is None:
            return None
        for name in descriptor.disagreements:
            damage.note(descriptor.address, f"the two byte orders of the {name} disagree")
        return with_true_root(reader, descriptor, damage)

    return found._replace(
        primary=right(found.primary), joliet=right(found.joliet), enhanced=right(found.enhanced)
    )


def _candidates(
    reader: Reader, descriptors: Descriptors, options: ViewOptions, damage: Damage
) -> Iterator[_Candidate]:
    """The trees that exist and that ``options`` allow, best first.

    Rock Ridge that announces itself, by ER or by SP alone, beats Joliet; fields that happen to be
    there without either are the less safe ones.
    """
    primary, joliet, enhanced, _ = descriptors
    if primary is not None and joliet is not None and not options.norock:
        # As in Linux: the size in the Joliet descriptor is used only with the option norock.
        joliet = joliet._replace(space_size=primary.space_size)
    rock_ridge = None if primary is None or options.norock else _probe(reader, primary, damage)
    if rock_ridge is not None and rock_ridge.announced:
        yield rock_ridge.candidate
    if joliet is not None and not options.nojoliet:
        yield _Candidate(Tree.JOLIET, joliet)
    if rock_ridge is not None and not rock_ridge.announced:
        yield rock_ridge.candidate
    if enhanced is not None:
        yield _Candidate(Tree.ENHANCED, enhanced)
    if primary is not None:
        yield _Candidate(Tree.HIGH_SIERRA if primary.high_sierra else Tree.PLAIN, primary)


class _Probed(NamedTuple):
    candidate: _Candidate
    announced: bool


def _probe(reader: Reader, primary: VolumeDescriptor, damage: Damage) -> _Probed | None:
    """Detect Rock Ridge in the root's "." record: by SP, ER or any field of its own."""
    if primary.high_sierra:
        return None
    start = section_start(primary.root, primary.block_size)
    try:
        record = read_record(reader, start, high_sierra=False)
    except LOST:
        return None
    if record is None:
        return None
    skip = skip_of(record.system_use)
    area = record.system_use[_XA_SIZE if has_xa(record.system_use) else 0 :]
    signatures = {
        field.signature for field in fields(reader, area, primary.block_size, start, damage)
    }
    if skip is None and not signatures & {b"ER", b"RR", b"PX", b"NM", b"TF"}:
        return None
    return _Probed(
        _Candidate(Tree.ROCK_RIDGE, primary, skip or 0), skip is not None or b"ER" in signatures
    )


def _open_best(
    reader: Reader,
    candidates: list[_Candidate],
    options: ViewOptions,
    name: str,
    damage: Damage,
    tracks: "DiscSource | None",
) -> Iso9660View:
    """The first tree that has files, else the first that can be read at all."""
    empty: Iso9660View | None = None
    failure: Exception | None = None
    for tree, descriptor, skip in candidates:
        try:
            view = Iso9660View(reader, descriptor, tree, skip, options, damage, tracks)
            if not view.is_empty(reader):
                return view
            # Of an empty volume, Linux shows the Joliet tree.
            if empty is None or tree is Tree.JOLIET:
                empty = view
        except (IsomountError, OSError) as error:
            damage.note(descriptor.address, f"the {tree.value} tree cannot be read: {error}")
            failure = failure or error
    if empty is not None:
        return empty
    raise DamagedImageError(f"{name}: {failure}") from failure
