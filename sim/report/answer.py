"""The answer: which policy serves best and what it costs, in a few sentences that stand above the table.

It goes by what people who wait notice: how many tasks are finished at all, how long all but the slowest twentieth wait
(the 95 % quantile) and how many are served within the service level. Means hide those who wait for hours.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sim.report.lines import money, seconds, share
from sim.report.pictures.style import duration
from sim.results.result_base import ResultBase
from sim.results.summary import Summary, entry
from sim.statistics.mean_interval import ENOUGH

FEWER = 0.002
"""A policy that finishes fewer tasks than the best one, by this share of all, is not compared by its waits."""

ENOUGH_DONE = 0.9
"""A policy that finishes a smaller share of the tasks does not cope."""

CLOSE = 0.02
"""Figures that differ by a smaller share are not called different here."""

FEW_WITHOUT = 0.1
"""Where more replications than this share have no wait, it is said in place of a figure."""

MINUTES = 300.0
"""Longer times are told in minutes, hours or days, too."""

MANY = 4
"""More policies than these are counted and not listed, where the table shows which they are."""

BEYOND_CHANCE = ("shorter", "longer", "less", "more")

WAITS = ("apply_wait", "plan_wait")


@dataclass(frozen=True, slots=True)
class Service:
    """What one policy does for those who wait, and what it costs."""

    label: str
    metrics: Mapping[str, Any]

    def value(self, metric: str) -> float:
        """A figure; 0 where there is none."""
        return float(entry(dict(self.metrics), metric)["value"] or 0.0)

    @property
    def cost(self) -> float:
        """Pod-hours, or money if the scenario has prices."""
        return self.value("cost.total") if "cost" in self.metrics else self.value("pod_seconds") / 3600

    def finishes_like(self, other: Service, tasks: float) -> bool:
        """Whether it finishes about as many tasks as *other*, or more, of so many *tasks*."""
        return self.ended >= other.ended - FEWER * tasks

    @property
    def ended(self) -> float:
        """How many tasks had all the slots that they needed: also those that then had an error or were discarded."""
        return self.value("completed") + self.value("errored") + self.value("discarded")

    @property
    def copes(self) -> bool:
        """Whether it finishes most tasks, and all but the slowest twentieth of those that may run do run."""
        waiting = any(entry(dict(self.metrics), f"{wait}.p95").get("lower_bound") for wait in WAITS)
        # Those canceled while they waited count in the waits, and the others wanted nothing any more.
        return not waiting and self.ended >= ENOUGH_DONE * (self.value("tasks") - self.value("canceled"))

    def serves_like(self, other: Service) -> bool:
        """Whether nobody waits noticeably longer than under *other*, up to the slowest hundredth."""
        return not any(
            _more(self.value(f"{wait}.{quantile}"), other.value(f"{wait}.{quantile}"), 1.0)
            for wait in WAITS
            for quantile in ("p95", "p99")
        )

    def is_like(self, other: Service) -> bool:
        """Whether both do about the same at about the same cost."""
        costs_differ = _more(self.cost, other.cost) or _more(other.cost, self.cost)
        return self.serves_like(other) and other.serves_like(self) and not costs_differ

    def beats(self, other: Service) -> bool:
        """Whether it makes nobody wait longer and costs no more, and is better in one of these."""
        if not self.serves_like(other) or self.cost > other.cost:
            return False
        return not other.serves_like(self) or _more(other.cost, self.cost)


def answer(result: ResultBase) -> list[str]:
    """The answer that a result gives, a sentence or two each."""
    currency = result.scenario.cost.currency if result.scenario.cost is not None else None
    return list(_sentences(result.summary, result.labels, result.replications, result.varies,
                           result.scenario.slo.limits, currency))  # fmt: skip


def worse_than_another(summary: Summary, labels: Sequence[str]) -> dict[str, str]:
    """The policies that another one beats, and which: it finishes as many tasks, no longer waits, and costs no more."""
    services = [Service(label, summary["policies"][label]) for label in labels]
    tasks = services[0].value("tasks")
    found = {}
    for one in services:
        better = [each for each in services if each.finishes_like(one, tasks) and each.beats(one)]
        if better:
            found[one.label] = min(better, key=lambda each: each.cost).label
    return found


def _sentences(
    summary: Summary,
    labels: Sequence[str],
    replications: int,
    varies: bool,
    slo: Mapping[str, float],
    currency: str | None,
) -> Iterator[str]:
    services = [Service(label, summary["policies"][label]) for label in labels]
    tasks = services[0].value("tasks")
    if tasks == 0:
        yield "No task arrived, so there is nothing to compare."
        return
    most = max(services, key=lambda each: each.ended)
    serving = [service for service in services if service.finishes_like(most, tasks)]
    fewer = [service for service in services if service not in serving]
    best = [service for service in serving if not any(other.beats(service) for other in serving)]
    best.sort(key=lambda service: service.cost)
    yield _best(best, len(services), slo, currency, replications)
    behind = [service for service in serving if service not in best]
    if behind:
        yield _behind(behind, currency)
    if fewer:
        yield _fewer(fewer, best[0])
    yield from _sure(summary, labels, replications, varies, best)


def _best(best: Sequence[Service], policies: int, slo: Mapping[str, float], currency: str | None, of: int) -> str:
    cheapest, fastest = best[0], min(best, key=lambda each: [each.value(f"{wait}.p95") for wait in WAITS])

    def told(service: Service) -> str:
        return f"{_done(service)}, {_waits(service, slo, of)}, for {_cost(service, currency)}"

    if policies == 1:
        return f"Under {cheapest.label} {told(cheapest)}."
    failing = "" if any(each.copes for each in best) else "No policy copes. "
    if len(best) == 1 or fastest is cheapest:
        like = [each.label for each in best[1:]]
        also = f" ({_listed(like)}: about the same)" if like else ""
        how = f"The least bad is {cheapest.label}" if failing else f"{cheapest.label} does best"
        return f"{failing}{how}: {told(cheapest)}{also}."
    between = sum(not (each.is_like(cheapest) or each.is_like(fastest)) for each in best)
    others = f" {between} more {'lies' if between == 1 else 'lie'} between them." if between else ""
    return (
        f"{failing}It is a choice between cost and waits. {cheapest.label} is the cheapest: {told(cheapest)}. "
        f"{fastest.label} is the quickest: {told(fastest)}.{others}"
    )


def _done(service: Service) -> str:
    found = f"{service.value('completed'):,.0f} of {service.value('tasks'):,.0f} tasks are finished"
    others = service.ended - service.value("completed")
    return f"{found} ({others:,.0f} more ended with an error or were discarded)" if others else found


def _behind(behind: Sequence[Service], currency: str | None) -> str:
    if len(behind) == 1:
        return f"{behind[0].label} serves no better and costs {_cost(behind[0], currency)}."
    costs = sorted(behind, key=lambda service: service.cost)
    span = f"{_cost(costs[0], currency)} to {_cost(costs[-1], currency)}"
    return f"{_listed([each.label for each in behind])} serve no better and cost {span}."


def _fewer(fewer: Sequence[Service], best: Service) -> str:
    one = len(fewer) == 1
    if len(fewer) > MANY:
        done = sorted(each.ended for each in fewer)
        told = f"{len(fewer)} others ({done[0]:,.0f} to {done[-1]:,.0f})"
    else:
        told = _listed([f"{each.label} ({each.ended:,.0f})" for each in fewer])
    return (
        f"{told} {'is' if one else 'are'} out: {'it finishes' if one else 'they finish'} fewer tasks than {best.label} "
        f"({best.ended:,.0f}), so {'its' if one else 'their'} waits and cost are for less work."
    )


def _sure(
    summary: Summary, labels: Sequence[str], replications: int, varies: bool, best: Sequence[Service]
) -> Iterator[str]:
    if not varies:
        yield "Nothing in this scenario is random: another run gives the same."
        return
    if replications == 1:
        yield "This is one world: an anecdote. -r 50 shows what other worlds do."
        return
    if replications < ENOUGH:
        yield f"{replications} worlds are too few to say how sure this is; -r 50 would tell."
        return
    shown = [each.label for each in best if each.label != labels[0]] or list(labels[1:])
    if not shown:
        yield f"These are means of {replications} worlds."
        return
    named = {"apply_wait.p95": "apply waits", "plan_wait.p95": "plan waits", "pod_seconds": "pod-hours"}
    found = {
        words: [entry(summary["comparisons"][label], metric) for label in shown] for metric, words in named.items()
    }
    told = [words for words, each in found.items() if all(one.get("verdict") in BEYOND_CHANCE for one in each)]
    open_ = [words for words, each in found.items() if words not in told and any(one["value"] for one in each)]
    who = f"{_listed(shown)} {'differs' if len(shown) == 1 else 'differ'} from {labels[0]}"
    text = f"In {replications} worlds {who} beyond chance in {_listed(told)}" if told else ""
    if open_:
        text += "; " if told else f"In {replications} worlds "
        text += f"{'in' if told else f'{who} in'} {_listed(open_)} that may be chance"
        text += f" (-r {4 * replications} halves the doubt)"
    yield f"{text}." if text else f"In {replications} worlds nothing differs."
    if len(best) > 1 and labels[0] not in [each.label for each in best]:
        first, *rest = (each.label for each in best[:3])
        yield f"How sure the difference between {_listed([first, *rest])} is, -p {first} -p {' -p '.join(rest)} tells."


def _waits(service: Service, slo: Mapping[str, float], of: int) -> str:
    """How long its tasks wait, in words; there were *of* replications."""
    plans = f"{_wait(service, 'plan_wait')}{_within(service, 'plan_wait', slo)}"
    seen = entry(dict(service.metrics), "apply_wait.p95").get("replications", of)
    if not service.value("plan_and_apply.tasks"):
        return f"95 % of plans start {plans}"
    if not service.value("confirmed"):
        return f"no task was confirmed, and 95 % of plans start {plans}"
    if seen < of * (1 - FEW_WITHOUT):
        return f"a task was confirmed in only {seen} of {of} worlds, and 95 % of plans start {plans}"
    applies = f"{_wait(service, 'apply_wait')}{_within(service, 'apply_wait', slo)}"
    if applies == plans:
        return f"95 % of applies and of plans start {applies}"
    return f"95 % of applies start {applies} and 95 % of plans {plans}"


def _wait(service: Service, wait: str) -> str:
    found = entry(dict(service.metrics), f"{wait}.p95")
    if found["value"] is None:
        return "never, as none was eligible"
    if found.get("lower_bound"):
        return f"not even within {_time(found['value'])}"
    return "at once" if found["value"] == 0 else f"within {_time(found['value'])}"


def _time(value: float) -> str:
    """A time as it stands in the table, and in its natural unit where that is another."""
    return seconds(value) if value < MINUTES else f"{seconds(value)} ({duration(value)})"


def _within(service: Service, wait: str, slo: Mapping[str, float]) -> str:
    if wait not in slo:
        return ""
    found = entry(dict(service.metrics), f"{wait}.within_slo")
    if found["value"] is None:
        return ""
    least = "at least " if found.get("lower_bound") else ""
    return f" ({least}{share(found['value'])} within {duration(slo[wait])})"


def _cost(service: Service, currency: str | None) -> str:
    if currency is None:
        return f"{service.cost:,.2f} pod-hours"
    least = "at least " if entry(dict(service.metrics), "cost.total").get("lower_bound") else ""
    return f"{least}{money(service.cost)} {currency}"


def _more(one: float, other: float, slack: float = 0.0) -> bool:
    """Whether *one* is noticeably more than *other*."""
    return one > other * (1 + CLOSE) + slack


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
