"""What `sim check` finds: every threshold and every metric of the baseline, each with a verdict in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sim.check.baseline import Comparison, compare, what_changed
from sim.check.threshold_verdict import Judgement, judge
from sim.check.thresholds import thresholds_of
from sim.scenario import Scenario
from sim.statistics.metric_names import CAUSE_METRICS, WAIT_METRICS
from sim.statistics.metrics import Measured

Status = Literal["passed", "failed", "undecided", "improved"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was checked. `blocks` if it makes the check fail; `line` of the scenario file, if it is of one."""

    kind: Literal["threshold", "baseline"]
    name: str
    status: Status
    blocks: bool
    message: str
    line: int | None


def check(scenario: Scenario, measured: Measured, baseline: Mapping[str, Any] | None) -> list[Finding]:
    """Judge the thresholds, and compare with the baseline if there is one."""
    found = []
    for index, threshold in enumerate(thresholds_of(scenario, list(measured))):
        judgement = judge(threshold, measured, scenario.confidence)
        status: Status = judgement.verdict
        blocks = status == "failed" or (status == "undecided" and scenario.undecided == "fail")
        line = scenario.line(("thresholds", index))
        found.append(Finding("threshold", threshold.text, status, blocks, _told(judgement), line))
    if baseline is not None:
        changed = what_changed(scenario, baseline)
        for comparison in compare(scenario, measured, baseline):
            failed = comparison.verdict == "failed"
            status = "failed" if failed else "improved" if comparison.verdict == "improved" else "passed"
            name = f"{comparison.policy}: {comparison.metric} against the baseline"
            found.append(Finding("baseline", name, status, failed, _compared(comparison, changed), None))
    return found


def written(metric: str, value: float | None, share: bool = False) -> str:
    """A figure with its unit."""
    if value is None:
        return "nothing"
    if share:
        return f"{value * 100:.3g} %"
    if metric in (*WAIT_METRICS, *CAUSE_METRICS):
        return f"{value:,.1f} s"
    return f"{value / 3600:,.2f} pod-hours" if metric == "pod_seconds" else f"{value:,.4g}"


def _told(judgement: Judgement) -> str:
    threshold, margin = judgement.threshold, judgement.margin
    bound = "more than " if judgement.figure_is_bound else ""
    figure = bound + written(threshold.metric, judgement.figure, threshold.share)
    limit = written(threshold.metric, judgement.limit, threshold.share)
    sense = "at most" if threshold.below else "at least"
    text = f"{threshold.policy} has {threshold.metric} {figure}; the limit is {sense} {limit}"
    if margin.value is not None:
        over = margin.value if threshold.below else -margin.value
        side = "beyond" if over > 0 else "within"
        text += f", which it is {side} by {written(threshold.metric, abs(over), threshold.share)}"
        if margin.ci_low is not None and margin.ci_high is not None:
            text += f" ±{written(threshold.metric, (margin.ci_high - margin.ci_low) / 2, threshold.share)}"
    if judgement.verdict == "undecided":
        text += "; the interval does not decide it"
        if judgement.needed is not None:
            text += f", about {judgement.needed} replications would"
    return text


def _compared(comparison: Comparison, changed: str) -> str:
    before, now = (written(comparison.metric, value) for value in (comparison.before, comparison.now))
    text = f"{comparison.policy} had {comparison.metric} {before}, and has {now}"
    if comparison.verdict == "same":
        return text
    if changed == "nothing":
        return f"{text}, although neither the scenario nor the code has changed"
    if comparison.before and comparison.now is not None:
        text += f" ({(comparison.now / comparison.before - 1) * 100:+.1f} %)"
    if comparison.verdict == "failed":
        text += f", where at most {written(comparison.metric, comparison.limit)} is tolerated"
    return f"{text}; {changed} changed since the baseline"
