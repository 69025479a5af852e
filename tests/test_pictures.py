"""Pictures: what is drawn is what happened."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest

mpl.use("Agg")

from matplotlib import pyplot as plt
from matplotlib.axes import Axes

import sim
from sim.report.pictures.pods import counted
from sim.report.pictures.time_window import PODS, worst_time_window
from sim.report.pictures.timeline import HOVER
from sim.report.plot import KINDS
from sim.report.save import save_picture
from sim.scenario import InputError

from support import scenario

GENERATED = {
    "process": "poisson", "rate": "100/h", "plan_and_apply_share": 0.5, "plan": 90, "confirm": "10m", "apply": "3m",
}  # fmt: skip


@pytest.fixture(scope="module")
def result() -> sim.Result:
    return sim.run(sim.load_scenario("scenarios/reserved-pod-deleted.yaml"))


@pytest.fixture(autouse=True)
def _close() -> Any:
    yield
    plt.close("all")


def bars(axes: Axes) -> list[tuple[str, float, float, float]]:
    """What each bar of a timeline is, its lane, and from when to when it is."""
    found = []
    for bar in axes.collections:
        if (bar.get_gid() or "").startswith(HOVER):
            box = bar.get_paths()[0].get_extents()
            found.append((bar.get_gid()[len(HOVER) :].split(":")[0], (box.y0 + box.y1) / 2, box.x0, box.x1))
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_each_picture_gives_its_axes_and_takes_some(result: sim.Result, kind: str) -> None:
    drawn = getattr(result.plot, kind)()
    assert all(isinstance(axes, Axes) for axes in np.atleast_1d(drawn))
    plt.close("all")
    given = plt.subplots()[1]
    assert getattr(result.plot, kind)(ax=given) is given
    assert len(plt.get_fignums()) == 1


def test_the_timeline_shows_what_happened_under_old(result: sim.Result) -> None:
    axes = result.plot.timeline("old")
    assert [label.get_text() for label in axes.get_yticklabels()] == [
        "waits: 598", "pod 0 · 0", "1", "2", "pod 1 · 0", "1", "2",
    ]  # fmt: skip
    assert sorted(bars(axes)) == [
        ("apply 598", 4, 5590, 5710), ("apply 599", 4, 5461, 5581), ("plan 598", 1, 0, 60), ("plan 599", 4, 1, 61),
        ("reserved 598", 1, 60, 300), ("reserved 599", 4, 61, 5461), ("wait 82.2 min", 0, 660, 5590),
    ]  # fmt: skip


def test_a_starting_and_a_silent_pod_are_marked() -> None:
    experiment = scenario(
        workload={"arrivals": {**GENERATED, "plan_and_apply_share": 1}}, pool={"min_pods": 2, "max_pods": 4},
        faults=[{"kind": "pod_offline", "at": 600, "target": 1, "duration": 300}], policies=["demand"],
    )  # fmt: skip
    drawn = bars(sim.run(experiment).plot.timeline("demand"))
    assert {("agent silent ", 600.0, 900.0)} <= {(what, begin, end) for what, _, begin, end in drawn}
    assert any(what == "pod starting " and end - begin == 30 for what, _, begin, end in drawn)


def test_a_long_run_is_shown_where_it_was_worst() -> None:
    experiment = scenario(
        workload={"arrivals": GENERATED}, horizon="10d", pool={"max_pods": 30, "initial_pods": 20},
        faults=[{"kind": "pod_deletion", "every": "6h", "target": "reserved"}], policies=["old"],
    )  # fmt: skip
    result = sim.run(experiment)
    stretch = worst_time_window(result, 0)
    worst = result.tasks.nlargest(1, "apply_wait").iloc[0]
    assert 600 <= stretch.end - stretch.begin < 86400
    assert stretch.begin <= worst.confirmed_at < stretch.end
    axes = result.plot.timeline("old")
    assert axes.get_xlim() == (stretch.begin, stretch.end)
    assert axes.get_title(loc="left").startswith("old (only ")
    pods = [label.get_text() for label in axes.get_yticklabels() if label.get_text().startswith("pod")]
    assert len(pods) <= PODS


def test_counting_spans() -> None:
    begins, ends = np.array([0.0, 5.0, 5.0]), np.array([5.0, 8.0, np.inf])
    times, counts = counted(begins, ends, 10.0)
    assert list(zip(times.tolist(), counts.tolist(), strict=True)) == [(0, 1), (5, 2), (8, 1), (10, 1)]


def test_a_line_of_many_steps_keeps_its_peaks() -> None:
    begins = np.arange(0.0, 100_000, 10)
    ends = begins + 3
    begins, ends = np.append(begins, [50_001.0] * 5), np.append(ends, [50_002.0] * 5)
    times, counts = counted(begins, ends, 100_000.0)
    assert len(times) <= 1500
    assert counts.max() == 6


def test_the_curve_of_waits_starts_at_the_share_that_waits_at_all(result: sim.Result) -> None:
    axes = result.plot.waits()
    curves = {line.get_label(): line for line in axes.lines}
    assert curves["old"].get_ydata()[1] == 0.5
    assert curves["demand"].get_ydata()[1] == 0


def test_the_legend_of_causes_is_in_the_picture() -> None:
    steady = sim.run(
        sim.load_scenario(Path(__file__).parents[1] / "scenarios" / "steady-day.yaml"), ["old"], replications=2
    )
    figure = steady.plot.causes().figure
    figure.canvas.draw()
    (legend,) = figure.legends
    assert len(legend.get_texts()) >= 3
    box = legend.get_window_extent()
    assert figure.bbox.contains(box.x0, box.y0)
    assert figure.bbox.contains(box.x1, box.y1)


def test_causes_and_frontier_have_the_figures_of_the_summary(result: sim.Result) -> None:
    widths = [bar.get_width() for bar in result.plot.causes().patches]
    assert sum(widths) == pytest.approx(result.summary["policies"]["old"]["apply_wait"]["mean"]["value"])
    points = {line.get_label(): line for line in result.plot.frontier().lines}
    assert (7500 / 3600, 2465) in {(line.get_xdata()[0], line.get_ydata()[0]) for line in points.values()}


def test_nothing_to_draw_is_no_error() -> None:
    experiment = scenario(workload={"tasks": [{"id": 1, "type": "plan", "workspace": "a", "arrive": 0, "plan": 1}]})
    result = sim.run(experiment)
    for kind in KINDS:
        getattr(result.plot, kind)()


def test_pictures_in_files(result: sim.Result, tmp_path: Path) -> None:
    for ending, magic in ((".png", b"\x89PNG"), (".svg", b"<?xml"), (".pdf", b"%PDF")):
        path = tmp_path / f"picture{ending}"
        save_picture(result, "timeline", path)
        assert path.read_bytes().startswith(magic)
        before = path.read_bytes()
        save_picture(result, "timeline", path)
        assert path.read_bytes() == before
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".pdf", ".png", ".svg"]


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({"path": Path("a.gif")}, r"a\.gif: found the ending '\.gif', expected one of \.png, \.svg, \.pdf"),
        ({"replication": 1}, "replication: found 1, expected one from 0 to 0"),
        ({"policy": "odl"}, "policy: found 'odl', expected one of: old, fixed, demand"),
        ({"kind": "waits", "policy": "old"}, "policy: found 'old', expected none, as waits shows all policies"),
        ({"kind": "waits", "replication": 1}, "replication: found 1, expected none, as waits shows all replications"),
        ({"path": Path("/proc/none/a.png")}, r"/proc/none/a\.png: cannot be written"),
    ],
)
def test_pictures_that_cannot_be(result: sim.Result, wanted: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        save_picture(result, **{"kind": "timeline", "path": Path("a.png"), **wanted})


def test_names_are_shown_as_they_are() -> None:
    """Formulas, underscores, lines and length are nothing special in a name."""
    names = ["_hidden", r"$\frac{1}$", "a\nb", "x" * 200]
    experiment = scenario(
        workload={"tasks": [{"id": name, "type": "plan_and_apply", "workspace": name, "arrive": 0, "plan": 100,
                             "confirm": 50, "apply": 900} for name in names]},
        policies=[{"name": "static", "label": name} for name in names], horizon=600, pool={"min_pods": 2},
    )  # fmt: skip
    result = sim.run(experiment)
    for kind in KINDS:
        getattr(result.plot, kind)()
        plt.gcf().canvas.draw()
    legend = plt.figure(result.plot.waits().figure.number).axes[0].get_legend()  # type: ignore[union-attr]
    assert [text.get_text() for text in legend.get_texts()] == ["_hidden", r"\$\frac{1}\$", "a b", "x" * 29 + "…"]
