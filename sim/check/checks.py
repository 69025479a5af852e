"""What `sim check` finds: every threshold and every metric of the baseline, each with a verdict in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sim.check.baseline import Comparison, compare, what_changed, without_partner
from sim.check.enough import level_of_checks
from sim.check.threshold_verdict import Judgement, judge
from sim.check.thresholds import thresholds_of
from sim.results.result import ExperimentResult
from sim.scenario import Scenario
from sim.statistics.columns import Worlds
from sim.statistics.intervals import Difference
from sim.statistics.mean_interval import ENOUGH
from sim.statistics.metric_names import MONEY_METRICS, SECONDS_METRICS, SHARE_METRICS, bare
from sim.statistics.metrics import Measured

Status = Literal["passed", "failed", "held", "improved", "regressed", "undecided"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was checked. `blocks` if it makes the check fail; `line` of the scenario file, if it is of one."""

    kind: Literal["threshold", "baseline"]
    name: str
    status: Status
    blocks: bool
    message: str
    line: int | None


def check(
    scenario: Scenario,
    measured: Measured,
    baseline: Mapping[str, Any] | None,
    worlds: Worlds | None = None,
    confidence: float | None = None,
) -> list[Finding]:
    """Judge the thresholds, and compare with the baseline if there is one.

    Args:
        scenario: what was run.
        measured: what came out.
        baseline: what came out earlier, if that is known.
        worlds: what the replications have in common.
        confidence: the level of the intervals; the scenario's, if not given.
    """
    worlds, level = worlds or Worlds(horizon=scenario.end), confidence or scenario.confidence

    def blocks(status: Status) -> bool:
        return status in ("failed", "regressed") or (status == "undecided" and scenario.undecided == "fail")

    found = []
    for index, threshold in enumerate(thresholds_of(scenario, list(measured))):
        judgement = judge(threshold, measured, level, worlds)
        line = scenario.line(("thresholds", index))
        verdict = judgement.verdict
        found.append(Finding("threshold", threshold.text, verdict, blocks(verdict), _told(judgement), line))
    if baseline is None:
        return found
    changed = what_changed(scenario, baseline)
    comparisons = compare(scenario, measured, baseline, level, worlds)
    if not comparisons:
        message = "nothing was compared with it, as regression names no metric that it has"
        found.append(Finding("baseline", "the baseline", "undecided", blocks("undecided"), message, None))
    for comparison in comparisons:
        status: Status = "held" if comparison.verdict == "same" else comparison.verdict
        name = f"{comparison.policy}: {comparison.metric} against the baseline"
        found.append(Finding("baseline", name, status, blocks(status), _compared(comparison, changed), None))
    for problem in without_partner(scenario, measured, baseline):
        message = f"{problem}; save the baseline anew if that is intended"
        found.append(Finding("baseline", "what the baseline has", "undecided", blocks("undecided"), message, None))
    return found


def check_result(result: ExperimentResult, baseline: Mapping[str, Any] | None) -> list[Finding]:
    """`check` of an experiment that was just run."""
    return check(result.scenario, result.measured, baseline, result.worlds, level_of_checks(result.scenario))


def written(metric: str, value: float | None, share: bool = False) -> str:
    """A figure with its unit."""
    if value is None:
        return "nothing"
    metric = bare(metric)
    if share or metric in SHARE_METRICS:
        return f"{value * 100:.3g} %"
    if metric == "pod_seconds":
        return f"{value / 3600:,.2f} pod-hours"
    if metric in MONEY_METRICS:
        return f"{value:,.2f}"
    return f"{value:,.1f} s" if metric in SECONDS_METRICS else f"{value:,.4g}"


def _told(judgement: Judgement) -> str:
    threshold, margin = judgement.threshold, judgement.margin

    def amount(value: float | None) -> str:
        return written(threshold.metric, value, threshold.share)

    bound = "more than " if judgement.figure_is_bound else ""
    sense = "at most" if threshold.below else "at least"
    text = (
        f"{threshold.policy} has {threshold.metric} {bound}{amount(judgement.figure)}; "
        f"the limit is {sense} {amount(judgement.limit)}"
    )
    if margin.value is not None:
        sign = 1 if threshold.below else -1
        over = sign * margin.value
        text += f", which it is {'beyond' if over > 0 else 'within'} by {amount(abs(over))}"
        low, high = margin.ci_low, margin.ci_high
        if judgement.verdict != "undecided" and low is not None and high is not None and low * high > 0:
            ends = sorted(abs(end) for end in (low, high))
            text += f" ({amount(ends[0])} to {amount(ends[1])})"
    if judgement.verdict == "undecided":
        text += f"; {_why_undecided(margin, judgement.replications)}{_would(judgement.needed)}"
    return text


def _why_undecided(margin: Difference, replications: int) -> str:
    """Why an interval does not decide."""
    if margin.replications == 0:
        return "nothing to judge, as no replication has a figure"
    if margin.replications < replications and margin.not_enough:
        return f"not decided, as only {margin.replications} of {replications} replications have a figure"
    if margin.value is None:
        return "not decided, as tasks still wait on both sides at the end; with a drain their waits can end"
    if margin.not_enough and replications < ENOUGH:
        return f"not enough data, as {replications} replications say nothing of how much they vary"
    if margin.not_enough:
        return f"not enough data, as nearly all of the {replications} replications have 0 there"
    if margin.ci_low is None or margin.ci_high is None:
        return "not decided, as tasks still wait at the end; with a drain their waits can end"
    return "the interval does not decide it"


def _would(needed: int | None) -> str:
    return "" if needed is None else f"; about {needed:,} replications would"


def _compared(comparison: Comparison, changed: Sequence[str]) -> str:
    metric = comparison.metric
    before, now = (written(metric, value) for value in (comparison.before, comparison.now))
    text = f"{comparison.policy} had {metric} {before}, and has {now}"
    if comparison.verdict == "same":
        return text
    if not changed:
        return f"{text}, although the scenario, the code and the libraries are the same"
    if comparison.before and comparison.now is not None:
        text += f" ({(comparison.now / comparison.before - 1) * 100:+.1f} %)"
    text += f", where at most {written(metric, comparison.limit)} is tolerated"
    if comparison.verdict == "undecided":
        text += f"; {_why_undecided(comparison.margin, comparison.replications)}"
        text += "" if comparison.needed is None else f"; about {comparison.needed:,} replications would, here and there"
    return f"{text}; {' and '.join(changed)} changed since the baseline"
