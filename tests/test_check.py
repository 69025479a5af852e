"""`sim check`: thresholds and baselines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from test_cli import SCENARIO
from test_cli import sim as command

import sim
from sim.check.baseline import Comparison, baseline_of, baseline_text, compare, read_baseline, what_changed
from sim.check.checks import check, check_result
from sim.check.threshold_verdict import Judgement, judge
from sim.check.thresholds import ThresholdError, parse_threshold
from sim.statistics.columns import Worlds
from sim.statistics.metric_names import BASELINE_METRICS
from sim.statistics.waits import Estimate

from support import scenario

LABELS = ["old", "fixed"]


def figures(metric: str, **columns: list[float | Estimate]) -> Any:
    return {
        label: [{metric: value if isinstance(value, Estimate) else Estimate(value)} for value in column]
        for label, column in columns.items()
    }


def verdict(text: str, **columns: list[float | Estimate]) -> str:
    threshold = parse_threshold(text, list(columns))
    return judge(threshold, figures(threshold.metric, **columns), 0.95, Worlds()).verdict


# Thresholds


@pytest.mark.parametrize(
    ("text", "factor", "reference", "offset"),
    [
        ("fixed: apply_wait.p95 < 90s", 0, None, 90),
        ("fixed: apply_wait.p95 < 1.5m", 0, None, 90),
        ("fixed:  apply_wait.p95<90", 0, None, 90),
        ("fixed: apply_wait.p95 <= old", 1, "old", 0),
        ("fixed: apply_wait.p95 <= 0.5 * old", 0.5, "old", 0),
        ("fixed: pod_seconds <= old + 10%", 1.1, "old", 0),
        ("fixed: pod_seconds <= old - 2h", 1, "old", -7200),
        ("fixed: censored <= 1%", 0, None, 0.01),
        ("fixed: peak_pods >= 2", 0, None, 2),
    ],
)
def test_what_a_threshold_means(text: str, factor: float, reference: str | None, offset: float) -> None:
    threshold = parse_threshold(text, LABELS)
    assert (threshold.factor, threshold.reference, threshold.offset) == (pytest.approx(factor), reference, offset)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("fixed apply_wait.p95 < 90s", "expected '<policy>: <metric> <op> <limit>'"),
        ("fixd: apply_wait.p95 < 90s", "found the policy 'fixd', expected one of: old, fixed"),
        ("fixed: apply_wait.p42 < 90s", "found the metric 'apply_wait.p42', expected a metric such as apply_wait.p"),
        ("fixed: apply_wait.p95 < odl", "found 'odl', expected a value or one of: old, fixed"),
        ("fixed: peak_pods < 3s", "found '3s', expected a number without a unit, as peak_pods is no time"),
        ("fixed: apply_wait.p95 < 5%", "expected a percentage only of censored, canceled_waiting, confirmed"),
        ("fixed: apply_wait.p95 = 5s", "expected '<policy>: <metric> <op> <limit>'"),
    ],
)
def test_a_threshold_that_cannot_be_understood(text: str, message: str) -> None:
    with pytest.raises(ThresholdError) as caught:
        parse_threshold(text, LABELS)
    assert message in str(caught.value)


def test_with_one_replication_the_figure_decides() -> None:
    assert verdict("a: peak_pods <= 5", a=[5]) == "passed"
    assert verdict("a: peak_pods < 5", a=[5]) == "failed"
    assert verdict("a: peak_pods >= 5", a=[5]) == "passed"
    assert verdict("a: peak_pods > 5", a=[5]) == "failed"


FIVE: list[float | Estimate] = [8.0, 9.0, 10.0, 11.0, 12.0]  # 10 ± 1.96


def test_with_replications_the_interval_decides() -> None:
    assert verdict("a: peak_pods < 13", a=FIVE) == "passed"
    assert verdict("a: peak_pods < 7", a=FIVE) == "failed"
    assert verdict("a: peak_pods < 10.5", a=FIVE) == "undecided"
    assert verdict("a: peak_pods > 7", a=FIVE) == "passed"
    assert verdict("a: peak_pods > 13", a=FIVE) == "failed"


def test_two_replications_decide_nothing_nor_do_many_in_which_nearly_all_figures_are_0() -> None:
    assert verdict("a: peak_pods < 1000", a=[2, 2]) == "undecided"
    assert verdict("a: apply_wait.p95 < 1000s", a=[0] * 20) == "undecided"
    assert verdict("a: apply_wait.p95 < 1000s", a=[0] * 16 + [1, 2, 3, 4]) == "undecided"
    assert verdict("a: apply_wait.p95 < 1000s", a=[0] * 15 + [1, 2, 3, 4, 5]) == "passed"


def test_how_large_a_wait_may_be_is_known_from_the_longest_that_were_seen() -> None:
    """The 95 % quantile is always 0; of 100 replications ten had a wait, the longest of 300 s."""
    measured = figures("apply_wait.p95", a=[0] * 100)
    for replication, longest in zip(measured["a"], [300.0] * 10 + [0.0] * 90, strict=True):
        replication["apply_wait.max"] = Estimate(longest)
    at_most = 300 * (1 - 0.0125 ** (1 / 100))  # 12.9 s

    def told(limit: float, horizon: float = 86400) -> Judgement:
        threshold = parse_threshold(f"a: apply_wait.p95 < {limit}s", ["a"])
        return judge(threshold, measured, 0.95, Worlds(horizon=horizon))

    assert told(at_most + 0.1).verdict == "passed"
    assert told(at_most - 0.1).verdict == "undecided"
    assert told(1).needed == 1313  # ln(0.0125) / ln(1 - 1 / 300)
    for replication in measured["a"]:
        replication["apply_wait.max"] = Estimate(0)  # Nothing is known of how long a wait may be but the horizon.
    assert told(90).verdict == "undecided"
    assert told(90, horizon=2000).verdict == "passed"


def test_something_that_never_happens_and_policies_that_never_differ() -> None:
    assert verdict("a: failed <= 0", a=[0] * 20) == "passed"
    assert verdict("a: failed <= 0", a=[0] * 19 + [1]) == "undecided"
    assert verdict("a: failed < 0", a=[0] * 20) == "failed"
    assert verdict("b: peak_pods <= a", a=[3, 4, 5, 6, 7], b=[3, 4, 5, 6, 7]) == "passed"
    assert verdict("b: peak_pods < a", a=[3, 4, 5, 6, 7], b=[3, 4, 5, 6, 7]) == "failed"


def test_a_threshold_for_which_too_many_replications_have_no_figure_is_not_decided() -> None:
    nothing = [Estimate(None)]
    assert verdict("a: apply_wait.p95 < 90s", a=[7, *nothing * 19]) == "undecided"
    assert verdict("a: apply_wait.p95 < 90s", a=[7, 8, 9, 10, 11, 12, 13, *nothing]) == "undecided"
    assert verdict("a: apply_wait.p95 < 90s", a=[*range(1, 20), *nothing]) == "passed"
    assert verdict("a: apply_wait.p95 > 0s", a=nothing * 20) == "undecided"


def test_where_nothing_is_random_two_replications_decide() -> None:
    threshold = parse_threshold("a: apply_wait.p95 < 90s", ["a"])
    assert judge(threshold, figures("apply_wait.p95", a=[0, 0]), 0.95, Worlds(vary=False)).verdict == "passed"


def test_policies_are_compared_pair_by_pair() -> None:
    tens: list[float | Estimate] = [10, 20, 30, 40, 50]
    assert verdict("b: peak_pods <= a", a=tens, b=[9, 19.1, 28.9, 39, 49]) == "passed"
    assert verdict("b: peak_pods <= a + 10%", a=tens, b=[13, 25, 37, 49, 61]) == "failed"
    assert verdict("b: peak_pods <= 0.5 * a", a=tens, b=[4, 9, 14, 19, 24]) == "passed"


def test_a_figure_that_is_only_a_bound_can_fail_but_not_pass() -> None:
    bounds: list[float | Estimate] = [Estimate(50 + n, lower_bound=True) for n in range(6)]
    assert verdict("a: apply_wait.max < 60s", a=bounds) == "undecided"
    assert verdict("a: apply_wait.max < 10s", a=bounds) == "failed"
    assert verdict("a: apply_wait.max > 10s", a=bounds) == "passed"
    assert verdict("b: apply_wait.max <= a", a=bounds, b=[0, 1, 2, 3, 4, 5]) == "passed"
    assert verdict("b: apply_wait.max <= a", a=bounds, b=bounds) == "undecided"
    assert verdict("a: apply_wait.max < 60s", a=[Estimate(50, lower_bound=True)]) == "undecided"
    assert verdict("a: apply_wait.max < 40s", a=[Estimate(50, lower_bound=True)]) == "failed"


def test_undecided_says_how_many_replications_would_decide() -> None:
    """With a probability of 80 %, at half the error: 5 (2.471 / 0.5 · (2.241 + 0.842) / 2.241)^2."""
    threshold = parse_threshold("a: peak_pods < 10.5", ["a"])
    judgement = judge(threshold, figures("peak_pods", a=FIVE), 0.95, Worlds())
    assert judgement.needed == 232


@pytest.mark.parametrize(("word", "blocks"), [("fail", True), ("warn", False), ("pass", False)])
def test_what_undecided_means_is_the_scenarios(word: str, blocks: bool) -> None:
    experiment = scenario(
        workload={"arrivals": {"process": "poisson", "rate": "60/h", "plan": 1}},
        replications=9, thresholds=["static: tasks < 60"], undecided=word,
    )  # fmt: skip
    result = sim.run(experiment)
    finding = check(experiment, result.measured, None)[0]
    assert (finding.status, finding.blocks) == ("undecided", blocks)
    assert "replications would" in finding.message


# Baselines


@pytest.fixture
def small(tmp_path: Path) -> sim.Scenario:
    (tmp_path / "small.yaml").write_text(SCENARIO)
    return sim.load_scenario(tmp_path / "small.yaml")


class NeverUp:
    """`fixed`, broken on purpose: it never adds a pod."""

    label = "fixed"

    def desired_pods(self, view: sim.PoolView) -> int:
        return view.pods


def test_with_nothing_changed_the_figures_must_be_equal(small: sim.Scenario) -> None:
    measured = sim.run(small).measured
    baseline = json.loads(baseline_text(baseline_of(small, measured)))
    assert what_changed(small, baseline) == ()
    assert {c.verdict for c in compare(small, measured, baseline)} == {"same"}
    broken = compare(small, sim.run(small, ["old", NeverUp]).measured, baseline)
    failed = {(c.policy, c.metric) for c in broken if c.verdict == "regressed"}
    assert ("fixed", "apply_wait.max") in failed
    assert not any(policy == "old" for policy, _ in failed)


def test_a_policy_that_never_scales_up_is_found_and_the_message_says_what_happened(small: sim.Scenario) -> None:
    baseline = {**baseline_of(small, sim.run(small).measured), "code": "another"}
    messages = [f.message for f in check(small, sim.run(small, ["old", NeverUp]).measured, baseline) if f.blocks]
    assert messages[0] == (
        "fixed had apply_wait.mean 0.0 s, and has 2,465.0 s, where at most 0.0 s is tolerated; "
        "the code changed since the baseline"
    )


def test_slower_pods_are_found() -> None:
    shipped = sim.load_scenario(Path(__file__).parent.parent / "scenarios/apply-slots-busy.yaml")
    slow = shipped.with_changes({"pool": shipped.pool.model_copy(update={"pod_startup": 45.0})})
    assert not any(f.blocks for f in check(shipped, sim.run(shipped).measured, None))
    missed = [f for f in check(slow, sim.run(slow).measured, None) if f.blocks]
    assert [f.message for f in missed] == [
        "fixed has wait_pod_starting 45.0 s; the limit is at most 35.0 s, which it is beyond by 10.0 s"
    ]
    assert missed[0].line is not None


def test_a_changed_scenario_is_told_apart_and_an_improvement_is_reported(small: sim.Scenario) -> None:
    worse = baseline_of(small, sim.run(small, ["old", NeverUp]).measured)
    changed = small.with_changes({"horizon": 7201.0})
    findings = check(changed, sim.run(changed).measured, worse)
    improved = [f for f in findings if f.status == "improved"]
    assert improved[0].name == "fixed: apply_wait.mean against the baseline"
    assert "the scenario changed since the baseline" in improved[0].message
    assert what_changed(changed, worse) == ("the scenario",)


def rebased(metric: str, before: list[float | Estimate], now: list[float | Estimate], **parts: Any) -> Comparison:
    """How *now* compares with a baseline of *before*, where the code has changed and the worlds are the same."""
    experiment = scenario(
        workload={"arrivals": {"process": "poisson", "rate": "60/h", "plan": 1}}, policies=["static"],
        replications=len(now), **parts,
    )  # fmt: skip
    full = dict.fromkeys(BASELINE_METRICS, Estimate(0))
    earlier = {"static": [{**full, **f} for f in figures(metric, static=before)["static"]]}
    baseline = {**baseline_of(experiment, earlier), "code": "another"}
    later = {"static": [{**full, **f} for f in figures(metric, static=now)["static"]]}
    return next(c for c in compare(experiment, later, baseline) if c.metric == metric)


HUNDREDS: list[float | Estimate] = [100 + n % 5 for n in range(20)]
REGRESSION = {"regression": {"apply_wait.mean": "10%"}}


@pytest.mark.parametrize(
    ("more", "verdict"),
    [(0, "same"), (5, "held"), (-20, "improved"), (30, "regressed")],
)
def test_a_metric_is_judged_against_what_is_tolerated(more: float, verdict: str) -> None:
    now: list[float | Estimate] = [value + more * (1 + 0.1 * (n % 3)) for n, value in enumerate(HUNDREDS)]  # type: ignore[operator]
    assert rebased("apply_wait.mean", HUNDREDS, now, **REGRESSION).verdict == verdict


def test_a_change_as_large_as_what_is_tolerated_is_undecided_and_not_a_matter_of_luck() -> None:
    now: list[float | Estimate] = [value * 1.1 + (-1) ** n for n, value in enumerate(HUNDREDS)]  # type: ignore[operator]
    found = rebased("apply_wait.mean", HUNDREDS, now, **REGRESSION)
    assert found.margin.value == pytest.approx(0)
    assert found.verdict == "undecided"


def test_a_large_change_within_wide_intervals_is_undecided_and_says_how_many_replications_would_do() -> None:
    before: list[float | Estimate] = [0, 0, 1, 0, 2, 0, 1, 1, 0, 0] * 2
    now: list[float | Estimate] = [*before[:17], 0, 900, 300]
    found = rebased("apply_wait.mean", before, now, regression={"apply_wait.mean": "5s"})
    assert found.verdict == "undecided"
    now = [*before[:10], *(400 + 90 * n for n in range(10))]
    found = rebased("apply_wait.mean", before, now, regression={"apply_wait.mean": "500s"})
    assert found.verdict == "undecided"
    assert found.needed is not None
    assert found.needed > 20


def test_a_bound_in_the_baseline_switches_nothing_off() -> None:
    """Waits that are not over count as what they are up to the horizon, before and now."""
    before = [Estimate(100, lower_bound=True), *HUNDREDS[1:]]
    now: list[float | Estimate] = [Estimate(200 + n % 5, lower_bound=n == 7) for n in range(20)]
    assert rebased("apply_wait.mean", before, now, **REGRESSION).verdict == "regressed"
    assert rebased("apply_wait.mean", before, before, **REGRESSION).verdict == "same"


def test_a_share_that_is_always_1_decides_as_little_as_one_that_is_always_0() -> None:
    metric = "plan_wait.within_slo"
    assert verdict(f"a: {metric} >= 99%", a=[1] * 20) == "undecided"
    assert verdict(f"a: {metric} >= 99%", a=[1] * 1000) == "passed"  # 1 - 0.0125^(1/1000) is less than 1 %
    assert verdict(f"a: {metric} >= 70%", a=[1] * 20) == "passed"


def test_one_replication_of_many_is_not_compared() -> None:
    assert rebased("apply_wait.mean", [100], HUNDREDS, **REGRESSION).verdict == "undecided"
    assert rebased("apply_wait.mean", HUNDREDS, [100], **REGRESSION).verdict == "undecided"


def test_a_share_has_a_limit_that_can_be() -> None:
    for limit in ("50", "101%"):
        with pytest.raises(ThresholdError, match="expected a share from 0 to 1"):
            parse_threshold(f"a: idle_share <= {limit}", ["a"])


def test_figures_that_differ_by_rounding_are_the_same() -> None:
    before: list[float | Estimate] = [0.1 + 0.2] * 20
    assert rebased("apply_wait.mean", before, [0.3] * 20, **REGRESSION).verdict == "same"


def test_the_case_that_failed_open_is_a_regression_or_undecided() -> None:
    """An autoscaler that looks once an hour, with a baseline in which a replication has a bound."""
    arrivals = {
        "process": "poisson", "rate": "20/h", "workspaces": 40, "plan_and_apply_share": 0.6,
        "plan": {"dist": "lognormal", "mean": "90s", "cv": 0.8}, "confirm_probability": 0.98,
        "confirm": {"dist": "lognormal", "mean": "15m", "cv": 1.5}, "apply": {"dist": "lognormal", "mean": "3m", "cv": 1.0},
    }  # fmt: skip
    often = scenario(
        workload={"arrivals": arrivals}, pool={"min_pods": 1, "max_pods": 15, "initial_pods": 6}, horizon="6h",
        faults=[{"kind": "pod_deletion", "every": {"dist": "exponential", "mean": "2h"}, "target": "random"}],
        policies=["fixed"], seed=1025, replications=20,
    )  # fmt: skip
    seldom = often.with_changes({"control": {**often.control.model_dump(), "autoscaler_interval": 3600.0}})
    baseline = baseline_of(often, sim.run(often).measured)
    found = {f.name: f for f in check_result(sim.run(seldom), baseline)}
    mean = found["fixed: apply_wait.mean against the baseline"]
    assert mean.status in ("regressed", "undecided")
    assert mean.blocks


def test_what_has_no_partner_in_the_baseline_is_said_and_not_passed(small: sim.Scenario) -> None:
    baseline = baseline_of(small, sim.run(small).measured)
    fewer = check_result(sim.run(small, ["old"]), baseline)
    assert [f.message.split(";")[0] for f in fewer if f.status == "undecided"] == [
        "the baseline has the policy fixed, which was not run"
    ]
    more = check_result(sim.run(small, ["old", "fixed", "static"]), baseline)
    assert [f.message.split(";")[0] for f in more if f.status == "undecided"] == ["the baseline has no policy static"]
    assert all(f.blocks for f in (*fewer, *more) if f.status == "undecided")


def test_a_policy_under_anothers_label_is_said(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    policies = "policies: [{name: fixed, label: one}, {name: old, label: other}]\n"
    (here / "small.yaml").write_text(SCENARIO + policies)
    assert command("check", "small.yaml", "--save-baseline") == 0
    swapped = "policies: [{name: old, label: one}, {name: fixed, label: other}]\n"
    (here / "small.yaml").write_text(SCENARIO + swapped)
    assert command("check", "small.yaml") == 3
    assert "one was fixed in the baseline, and is old" in capsys.readouterr().out


def test_a_missing_baseline_can_be_an_error(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("check", "small.yaml", "--require-baseline") == 2
    assert "small.json: found no baseline, expected one: make it with --save-baseline" in capsys.readouterr().err
    assert not (here / "results/small").exists()


def test_other_libraries_are_told_as_what_has_changed(small: sim.Scenario) -> None:
    measured = sim.run(small).measured
    baseline = baseline_of(small, measured)
    other = {**baseline, "made_with": {**baseline["made_with"], "scipy": "1.0"}}
    assert what_changed(small, other) == ("scipy (1.0 before)",)
    broken = check(small, sim.run(small, ["old", NeverUp]).measured, other)
    assert "scipy (1.0 before) changed since the baseline" in next(f.message for f in broken if f.blocks)


def test_enough_replications_are_as_many_as_decide_the_thresholds() -> None:
    arrivals = {"process": "poisson", "rate": "60/h", "plan": 1}
    parts: dict[str, Any] = {"workload": {"arrivals": arrivals}, "policies": ["static"], "replications": "enough"}
    near = sim.run(scenario(**parts, horizon="1h", thresholds=["static: tasks < 62"], max_replications=5000))
    assert 20 < near.replications < 5000
    assert check_result(near, None)[0].status == "passed"
    far = sim.run(scenario(**parts, horizon="1h", thresholds=["static: tasks < 90"]))
    assert far.replications == 20
    never = sim.run(scenario(**parts, horizon="1h", thresholds=["static: failed < 1"], max_replications=50))
    assert never.replications == 50
    assert check_result(never, None)[0].status == "undecided"
    with pytest.raises(ValueError, match="a number, as there are no thresholds to be decided"):
        scenario(**parts)


def test_a_baseline_that_is_none_is_told(tmp_path: Path) -> None:
    assert read_baseline(tmp_path / "none.json") is None
    empty = '{"format": 1, "world": "a", "seed": 1, "policies": {"a": {"tasks": {"mean": 1, "replications": []}}}}'
    for text in (
        "",
        "{}",
        "[]",
        empty,
        empty.replace("[]", "[1e999]"),
        empty.replace("[]", "[1]").replace('"seed": 1, ', ""),
        '{"format": 1, "policies": {"a": {"m": {}}}}',
        '{"format": 2, "policies": {}}',
    ):
        (tmp_path / "bad.json").write_text(text)
        with pytest.raises(sim.InputError, match=r"bad\.json: found something else, expected a baseline"):
            read_baseline(tmp_path / "bad.json")


# The command

CHECKED = (
    SCENARIO
    + """\
thresholds:
  - "fixed: apply_wait.p95 < 90s"
  - "old: apply_wait.p95 < 90s"
"""
)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    (tmp_path / "small.yaml").write_text(CHECKED)
    return tmp_path


def test_a_missed_threshold_is_status_3_and_says_by_how_much(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("check", "small.yaml") == 3
    out, err = capsys.readouterr()
    assert err == ""
    assert out.splitlines()[0] == (
        "small: FAILED: old: apply_wait.p95 < 90s: old has apply_wait.p95 4,930.0 s; the limit is at most 90.0 s, "
        "which it is beyond by 4,840.0 s"
    )
    assert (here / "results/small/tasks.parquet").exists()


def test_met_thresholds_are_status_0_and_bad_ones_status_2(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "small.yaml").write_text(CHECKED.replace('  - "old: apply_wait.p95 < 90s"\n', ""))
    assert command("check", "small.yaml") == 0
    (here / "small.yaml").write_text(CHECKED.replace("old: apply", "odl: apply"))
    for words in ("check", "run", "validate"):
        assert command(words, "small.yaml") == 2
        assert (
            "small.yaml:12: thresholds[1]: found the policy 'odl', expected one of: old, fixed"
            in capsys.readouterr().err
        )
    (here / "small.yaml").write_text(CHECKED + "regression: {apply_wait.p94: 5%}\n")
    assert command("check", "small.yaml") == 2
    assert (
        "small.yaml:13: regression.apply_wait.p94: found 'apply_wait.p94', expected a metric such as apply_wait.p"
        in capsys.readouterr().err
    )
    (here / "small.yaml").write_text(CHECKED + "regression: {apply_wait.p95: 5x}\n")
    assert command("check", "small.yaml") == 2
    assert (
        "small.yaml:13: regression.apply_wait.p95: found '5x', expected a share such as 5%" in capsys.readouterr().err
    )


def test_a_baseline_is_saved_and_compared_with(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "small.yaml").write_text(SCENARIO)
    assert command("check", "small.yaml", "--save-baseline") == 0
    saved = (here / "results/baselines/small.json").read_text()
    assert command("check", "small.yaml", "--save-baseline") == 0
    assert (here / "results/baselines/small.json").read_text() == saved
    assert command("check", "small.yaml") == 0
    (here / "small.yaml").write_text(SCENARIO.replace("confirm: 90m", "confirm: 100m"))
    capsys.readouterr()
    assert command("check", "small.yaml") == 3
    assert "the scenario changed since the baseline" in capsys.readouterr().out
    (here / "results/baselines/small.json").write_text("spoiled")
    assert command("check", "small.yaml") == 2


def test_reports_for_ci_services(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(here / "summary.md"))
    assert command("check", "small.yaml", "--format", "github", "--junit", "junit.xml") == 3
    out = capsys.readouterr().out
    assert out.startswith(
        "::error file=small.yaml,line=12,title=old%3A apply_wait.p95 < 90s::old has apply_wait.p95 4,930"
    )
    assert "| FAILED | old: apply_wait.p95 < 90s |" in (here / "summary.md").read_text()
    suite = ElementTree.parse(here / "junit.xml").getroot()[0]
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    assert [case.get("name") for case in suite] == ["fixed: apply_wait.p95 < 90s", "old: apply_wait.p95 < 90s"]
    assert command("check", "small.yaml", "--json") == 3
    outcome = json.loads(capsys.readouterr().out)
    assert [check["status"] for check in outcome["small"]["checks"]] == ["passed", "failed"]


def test_what_has_passed_is_told_with_its_figure_and_limit(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command("check", "small.yaml")
    told = capsys.readouterr().out.splitlines()
    assert (
        "small: ok: fixed: apply_wait.p95 < 90s: fixed has apply_wait.p95 0.0 s; the limit is at most 90.0 s, "
        "which it is within by 90.0 s" in told
    )


def test_a_scenario_that_has_only_a_baseline_is_a_pytest_test(here: Path, pytester: pytest.Pytester) -> None:
    folder = pytester.path / "baselines"
    (here / "small.yaml").write_text(SCENARIO)
    save = ("--save-baseline", "--baselines", str(folder), "-o", str(here / "results"))
    assert command("check", str(here / "small.yaml"), *save) == 0
    pytester.makefile(".yaml", small=SCENARIO, other=SCENARIO.replace("name: small", "name: other"))
    quiet = ("-p", "no:cacheprovider", "-W", "ignore", "--sim-baselines", str(folder), ".")
    pytester.runpytest_subprocess(*quiet).assert_outcomes(passed=1)
    pytester.makefile(".yaml", small=SCENARIO.replace("confirm: 90m", "confirm: 100m"))
    pytester.runpytest_subprocess(*quiet).assert_outcomes(failed=1)


def test_scenarios_are_pytest_tests(here: Path, pytester: pytest.Pytester) -> None:
    pytester.makefile(".yaml", small=CHECKED, other="name: not a scenario\n")
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-W", "ignore", ".")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*old has apply_wait.p95 4,930.0 s; the limit is at most 90.0 s*"])
    pytester.makefile(".yaml", small=CHECKED.replace("2h", "2x"))
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", ".")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*small.yaml:2: horizon: found '2x', expected a duration*"])


def test_thresholds_and_baselines_with_nothing_to_judge_never_pass(small: sim.Scenario) -> None:
    measured = figures("censored", a=[0] * 20)
    for replication in measured["a"]:
        replication["confirmed"] = Estimate(0)
    threshold = parse_threshold("a: censored <= 0", ["a"])
    assert judge(threshold, measured, 0.95, Worlds()).verdict == "undecided"
    baseline = {**baseline_of(small, sim.run(small).measured), "code": "another"}
    nothing = small.with_changes({"regression": {}})
    assert [f.status for f in check(nothing, sim.run(nothing).measured, baseline)] == ["undecided"]
