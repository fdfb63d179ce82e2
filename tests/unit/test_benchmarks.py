"""The benchmark's arithmetic: medians, ratios, verdicts, the table and the chart."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from isomount import __version__
from isomount.containers.packed.cso import CsoSource
from isomount.sources import LocalSource
from tests.benchmarks import chart, containers, kinds, peers, table, targets
from tests.benchmarks.images import Image
from tests.benchmarks.places import CHECKOUT, PAGE, README
from tests.benchmarks.programs import MeasurementError, run
from tests.benchmarks.results import Cell, Results, Row
from tests.benchmarks.targets import Check, Verdict, duration
from tests.benchmarks.workloads import WORKLOADS

FIGURES = {
    "isomount": [0.3, 0.1, 0.2],
    "fuseiso": [0.8, 0.2, 0.6],
    "slow": [5.0],
    "erofs (kernel)": [0.05, 0.05],
}


def results(**rows: dict[str, list[float]]) -> Results:
    made = Results(
        facts={"2026-01-01": ""},
        versions={"isomount": "1", "fuseiso": "2", "slow": "3", "erofs (kernel)": ""},
        ceilings=["erofs (kernel)"],
    )
    for key, cells in rows.items():
        made.rows[key] = Row(f"the row {key}")
        for peer, seconds in cells.items():
            made.cell(key, peer).seconds += seconds
    return made


@given(st.lists(st.floats(0.001, 100), min_size=1))
def test_the_median_has_as_many_below_as_above(seconds: list[float]) -> None:
    median = Cell(seconds=seconds).median
    assert median is not None
    half = len(seconds) / 2
    assert sum(each < median for each in seconds) <= half
    assert sum(each > median for each in seconds) <= half


def test_nothing_measured_is_no_figure() -> None:
    row = Row("", {"isomount": Cell(), "fuseiso": Cell(seconds=[1.0])})
    assert row.median() is None
    assert row.ratio("fuseiso") is None
    assert row.ratio("unheard of") is None
    assert row.fastest(["unheard of"]) is None


def test_a_ratio_is_the_peers_time_by_isomounts() -> None:
    row = results(a=FIGURES).rows["a"]
    assert row.ratio("isomount") == 1
    assert row.ratio("fuseiso") == pytest.approx(3)
    assert row.ratio("slow") == pytest.approx(25)


def test_a_ceiling_is_no_rival() -> None:
    made = results(a=FIGURES)
    assert made.rivals == ["fuseiso", "slow"]
    assert made.rows["a"].fastest(made.rivals) == "fuseiso"
    assert made.rows["a"].fastest(made.versions) == "erofs (kernel)"


def test_isomount_in_another_shape_is_no_rival_and_its_usage_is_shown() -> None:
    made = results(a={**FIGURES, "isomount before": [0.01]})
    made.versions["isomount before"] = "0"
    made.variants.append("isomount before")
    made.cell("a", "isomount before").peak_kib.append(1 << 20)
    made.cell("a", "isomount before").cpu_seconds.append(9.5)
    assert made.rivals == ["fuseiso", "slow"]
    assert targets.times_faster(2.9, "a")(made).reached is True
    report = table.render(made)
    assert "50.0 ms (0.25x) | 10.0 ms (0.05x) |" in report
    assert "1074 MB, 9.50 s" in report


def test_results_without_variants_can_still_be_shown(tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    made = results(a=FIGURES)
    made.save(file)
    stored = json.loads(file.read_text())
    del stored["variants"]
    file.write_text(json.dumps(stored))
    assert Results.load(file) == made


def test_each_isomount_is_that_of_its_checkout(tmp_path: Path) -> None:
    names = [peer.name for peer in peers.peers()]
    assert names[:2] == ["isomount", "isomount -o nolane"]
    assert "isomount before" not in names
    own, laneless, before, *_ = peers.peers(tmp_path)
    assert (own.variant, laneless.variant, before.variant) == (False, True, True)
    image, folder = Image("i", 1, 1, udf=True), Path("/m")
    assert f"PYTHONPATH={CHECKOUT}" in own.command(image, folder)
    assert own.command(image, folder)[-3:] == ["/m", "-o", "view=udf"]
    assert laneless.command(image, folder)[-2:] == ["-o", "view=udf,nolane"]
    assert f"PYTHONPATH={tmp_path}" in before.command(image, folder)
    assert own.version().startswith(__version__)


def test_another_checkout_is_measured_if_it_is_one(tmp_path: Path) -> None:
    before = peers.IsomountBefore(tmp_path)
    assert before.missing() == f"no checkout of isomount at {tmp_path}"
    (tmp_path / "isomount").mkdir()
    (tmp_path / "isomount" / "__init__.py").touch()
    (tmp_path / "isomount" / "__main__.py").write_text("print('isomount 0.0.7')")
    assert before.missing() is None
    assert before.version() == "0.0.7"


def test_an_option_that_the_command_refuses_leaves_a_peer_out() -> None:
    class Refused(peers.IsomountWithoutLane):
        options = ("nosuchoption",)

    class Accepted(peers.IsomountWithoutLane):
        options = ("norock",)

    assert Refused().missing() == "this isomount does not know -o nosuchoption"
    assert Accepted().missing() is None


@pytest.mark.parametrize(
    ("check", "reached"),
    [
        (targets.at_most("a", 0.2), True),
        (targets.at_most("a", 0.199), False),
        (targets.at_most("missing", 1), None),
        (targets.times_faster(2.9, "a"), True),
        (targets.times_faster(3.1, "a"), False),
        (targets.times_faster(3.1, "a", than=["slow"]), True),
        (targets.times_faster(1, "a", "missing"), None),
        (targets.times_faster(1, "a", "b"), False),
        (targets.no_longer_than("a", "b", 1.1), True),
        (targets.no_longer_than("b", "a", 1.1), False),
        (targets.times_faster_than_in(4.9, "a", "b"), True),
        (targets.times_faster_than_in(5.1, "a", "b"), False),
        (targets.times_faster_than_in(1, "a", "missing"), None),
        (targets.within(4.1, "a", "erofs (kernel)"), True),
        (targets.within(3.9, "a", "erofs (kernel)"), False),
        (targets.within(3.9, "a", "absent"), None),
        (targets.memory_below("a", 80), None),
    ],
)
def test_a_target_is_reached_or_not(check: Check, reached: bool | None) -> None:
    other = {"isomount": [2.0], "fuseiso": [1.0]}
    assert check(results(a=FIGURES, b=other)).reached is reached


def test_the_worst_row_decides() -> None:
    made = results(a=FIGURES, b={"isomount": [1.0], "slow": [2.5]})
    assert targets.times_faster(2, "a", "b")(made) == Verdict(True, "2.50x (slow, b)")


def test_memory_counts_in_the_worst_round() -> None:
    made = results(a=FIGURES)
    made.cell("a", "isomount").peak_kib += [10_000, 100_000, 20_000]
    assert targets.memory_below("a", 103)(made) == Verdict(True, "102 MB")
    assert targets.memory_below("a", 102)(made).reached is False


def test_every_target_names_rows_that_are_measured() -> None:
    workloads = (*WORKLOADS, *kinds.KINDS)
    keys = [key for each in workloads for state in each.states for key in each.keys(state)]
    assert len(keys) == len(set(keys))
    others = {"image file": [0.1], "gzip -dc": [0.1], "zstd -dc": [0.1], "fuseiso9660": [0.1]}
    everything = results(**{key: {**FIGURES, **others} for key in keys})
    for key in keys:
        everything.cell(key, "isomount").peak_kib.append(1)
    wanted = (*targets.TARGETS, *kinds.TARGETS)
    assert all(target.check(everything).reached is not None for target in wanted)


def test_a_run_of_containers_has_targets_of_its_own() -> None:
    made = results(**{"kinds-cso.cold": {"isomount": [0.1]}})
    assert "| cso, in order | 250 MB/s | 100 ms | reached |" in table.render(made)
    assert "cso" not in table.render(results(a=FIGURES))


def test_containers_are_the_same_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Small ones: what isomount makes of them is what went in."""
    monkeypatch.setenv("ISOMOUNT_BENCH_DIR", str(tmp_path))
    plain = tmp_path / "plain.iso"
    image = b"".join(bytes([number]) * 2048 for number in range(40))
    plain.write_bytes(image)
    containers._raw(plain, tmp_path / "raw")
    raw = (tmp_path / "raw").read_bytes()
    assert b"".join(raw[at + 16 : at + 2064] for at in range(0, len(raw), 2352)) == image
    assert raw[12:16] == bytes.fromhex("00020001")
    containers._cso(plain, tmp_path / "cso")
    source = CsoSource(LocalSource(tmp_path / "cso"))
    assert source.read_at(0, len(image)) == image
    source.close()
    containers._seekable_zstd(plain, tmp_path / "zst")
    stored = (tmp_path / "zst").read_bytes()
    assert zstandard.ZstdDecompressor().decompress(stored) == image
    assert stored[-4:] == bytes.fromhex("b1ea928f")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(12.34, "12.3 s"), (1.0, "1.00 s"), (0.25, "250 ms"), (0.0012, "1.20 ms"), (1e-5, "10 µs")],
)
def test_a_duration_in_words(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_the_table() -> None:
    made = results(a=FIGURES, b={"isomount": [1.0], "fuseiso": [0.5, 0.5]})
    made.cell("b", "slow").reason = "slow: gave up"
    made.cell("b", "fuseiso").reason = "one round less"
    lines = table.render(made).splitlines()
    assert "| the row a | 200 ms | 600 ms (3.00x) | 5.00 s (25x) | 50.0 ms (0.25x) |" in lines
    assert "| the row b | 1.00 s | 500 ms (0.50x)<sup>1</sup> | -<sup>2</sup> | - |" in lines
    assert lines[lines.index("1. one round less") + 1] == "2. slow: gave up"


def test_the_rows_for_readme_are_of_isomount_and_its_rivals() -> None:
    keys = [key for each in WORKLOADS for state in each.states for key in each.keys(state)]
    assert set(table.README_ROWS) <= set(keys)
    first, *_, last = table.README_ROWS
    made = results(**{last: {"isomount": [1.0], "slow": [2.0]}, first: FIGURES, "other": FIGURES})
    assert table.for_readme(made).splitlines() == [
        "|  | isomount | fuseiso | slow |",
        "| --- | ---: | ---: | ---: |",
        f"| the row {first} | 200 ms | 600 ms (3.00x) | 5.00 s (25x) |",
        f"| the row {last} | 1.00 s | - | 2.00 s (2.00x) |",
    ]


def test_the_pages_have_their_places(tmp_path: Path) -> None:
    for page in (PAGE, README):
        copy = tmp_path / page.name
        copy.write_text(page.read_text())
        table.put_into(copy, "new")
        assert f"{table.BEGIN}\nnew\n{table.END}\n" in copy.read_text()


def test_the_table_in_a_readme_is_replaced(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{table.BEGIN}\nold\n{table.END}\nafter\n")
    table.put_into(readme, "new")
    assert readme.read_text() == f"before\n{table.BEGIN}\nnew\n{table.END}\nafter\n"


def test_a_readme_without_its_place_stays_as_it_is(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(f"{table.BEGIN}\nafter\n")
    with pytest.raises(SystemExit):
        table.put_into(readme, "new")
    assert readme.read_text() == f"{table.BEGIN}\nafter\n"


def test_the_chart_has_a_bar_for_every_figure() -> None:
    page = ElementTree.fromstring(chart.draw(results(a=FIGURES, empty={"fuseiso": [1.0]})))
    kind = "{http://www.w3.org/2000/svg}"
    bars = [each for each in page.iter(f"{kind}rect") if each.get("height") == "8"]
    widths = {each.get("fill"): float(each.get("width", "0")) for each in bars}
    assert len(widths) == 3  # of row a; the other has nothing to compare with
    assert all(width > 0 for width in widths.values())
    words = [each.text for each in page.iter(f"{kind}text")]
    assert {"the row a", "3.00x", "25x", "0.25x"} <= set(words)


def test_results_come_back_from_their_file(tmp_path: Path) -> None:
    made = results(a=FIGURES)
    made.cell("a", "slow").reason = "too slow"
    made.save(tmp_path / "results.json")
    assert Results.load(tmp_path / "results.json") == made


def test_a_program_that_takes_too_long_is_ended() -> None:
    with pytest.raises(MeasurementError, match="not done after 0 s"):
        run(["sh", "-c", "sleep 60 & wait"], limit=0.2)


def test_a_program_that_fails_says_why() -> None:
    with pytest.raises(MeasurementError, match=r"ls failed: .*/nowhere/at/all"):
        run(["ls", "/nowhere/at/all"], limit=10)
