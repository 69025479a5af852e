"""The trace that events make: what they do not say is concluded, and every row is accounted for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sim.scenario.errors import InputError
from sim.scenario.units import LONGEST
from sim.traces.columns import RECORDED
from sim.traces.events import EVENTS, Account, Imported, LeftOut, OddRow
from sim.traces.odd_rows import MOST_ODD, endings_of, long_time, odd_rows

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray


def trace_of(events: pd.DataFrame, account: Account, zero: float | None = None, lock: bool = True) -> Imported:
    """The trace that *events* make.

    Args:
        events: a frame with the columns `EVENTS` and `NAMES`, a row for each task of the records.
        account: of the rows so far; what is left out and concluded here is added to it.
        zero: what time 0 is, in seconds since 1970; by default the first arrival.
        lock: whether the system locks workspaces as the model does. If not, each task has a workspace of its own.

    Raises:
        InputError: no row says how long its plan took.
    """
    import numpy as np
    import pandas as pd

    account.read = account.read or len(events)
    events = _without_impossible(events.reset_index(drop=True), account)
    if zero is None:
        zero = float(events.created.min()) if len(events) else 0.0
    events = _left_out(events, events.created > zero + LONGEST, "an arrival a hundred years after the first", account)
    early = events.created < zero
    events = _left_out(events, early, "arrived before time 0", account)
    events = events.sort_values("created", kind="stable").reset_index(drop=True)
    applies = _types(events, account)
    events = _overtaken(events, applies, account, lock)
    if not lock:
        events["workspace"] = None
        account.notes.append("Each task has a workspace of its own, as the system does not lock them.")
    plan, confirm, apply = _durations(events, applies, account)
    status = events.status.to_numpy()
    failed_plan = (status == "errored") & events.apply_started.isna().to_numpy()
    trace = pd.DataFrame(
        {
            "id": events.id,
            "workspace": events.workspace,
            "pool": events.pool,
            "type": np.where(applies, "plan_and_apply", "plan"),
            "execution_mode": events.execution_mode.fillna("k8s"),
            "plan_result": np.select(
                [failed_plan, applies & (status == "no_changes")], ["error", "no_changes"], "changes"
            ),
            "decision": np.where(applies & (status == "discarded"), "discard", "confirm"),
            "apply_result": np.where(applies & (status == "errored") & ~failed_plan, "error", "ok"),
            "arrive": (events.created - zero).round(6),
            "plan": plan,
            "confirm": confirm,
            "apply": apply,
            "cancel": _cancellations(events, plan, apply, account),
        }
    )
    for name, event in (
        ("plan_started", "plan_started"), ("plan_ended", "plan_ended"), ("confirmed", "confirmed"),
        ("apply_started", "apply_started"), ("apply_ended", "apply_ended"), ("ended", "ended"),
    ):  # fmt: skip
        trace[f"recorded_{name}"] = (events[event] - zero).round(6)
    for name in ("id", "workspace", "pool"):
        if events[name].isna().all():
            del trace[name]
        elif events[name].isna().any():
            unnamed = int(events[name].isna().sum())
            if name == "pool":
                account.inferred.append(f"{unnamed} rows have no pool: they are in one that is called none.")
                trace[name] = events[name].fillna("none")
            else:
                account.inferred.append(f"{unnamed} rows have no {name}: each got one of its own, row-<n>.")
                own = pd.Series([f"row-{number}" for number in range(len(events))])
                trace[name] = events[name].where(events[name].notna(), own)
    if "pool" in trace:
        trace["pool"] = _pool_names(trace["pool"], account)
    if not account.ran:
        trace[list(RECORDED)] = np.nan
    account.kept = len(trace)
    account.odd = (account.odd + odd_rows(trace))[:MOST_ODD]
    account.endings = endings_of(trace)
    return Imported(trace, account, zero)


def _pool_names(names: pd.Series[Any], account: Account) -> pd.Series[Any]:
    """Names of pools as a scenario can have them: letters, digits, dashes and underscores."""
    new = {name: re.sub(r"[^A-Za-z0-9_-]+", "-", str(name)).strip("-_")[:100] or "pool" for name in names.unique()}
    changed = [f"{old!r} is {name}" for old, name in new.items() if old != name]
    if changed:
        account.notes.append(f"Pools got names that a scenario can have: {', '.join(changed)}.")
    return names.map(new)


def _left_out(
    events: pd.DataFrame, rows: pd.Series[Any] | NDArray[np.bool_], why: str, account: Account
) -> pd.DataFrame:
    """The events without those *rows*, which the account names."""
    import numpy as np

    mask = np.asarray(rows, dtype=bool)
    if mask.any():
        first = events[mask].iloc[0]
        name = first.id if isinstance(first.id, str) else f"row {events.index[mask][0]}"
        account.left_out.append(LeftOut(why, int(mask.sum()), str(name)))
    return events[~mask]


LATEST = 2e11
"""The latest arrival that is believed, in seconds since 1970 (the year 8307)."""


def _without_impossible(events: pd.DataFrame, account: Account) -> pd.DataFrame:
    import pandas as pd

    events = _left_out(events, events.created.isna(), "no time of arrival", account)
    events = _left_out(events, ~(events.created.abs() <= LATEST), "a time of arrival that cannot be true", account)
    far = pd.concat([(events[name] - events.created).abs() for name in EVENTS], axis=1).max(axis=1) > LONGEST
    events = _left_out(events, far, "something more than a hundred years before or after the arrival", account)
    events = _left_out(events, events.id.notna() & events.id.duplicated(), "an id that an earlier row has", account)
    for begin, end, what in (
        ("plan_started", "plan_ended", "a plan that ends before it begins"),
        ("plan_ended", "confirmed", "a decision before the plan has ended"),
        ("apply_started", "apply_ended", "an apply that ends before it begins"),
    ):
        events = _left_out(events, events[end] < events[begin], what, account)
    never_began = (events.status == "canceled") & events.plan_started.isna() & events.ended.isna()
    why = "canceled before they started, at an unknown time; they used no slot"
    events = _left_out(events, never_began, why, account)
    started_first = (events.plan_started < events.created - 1.0) | (events.ended < events.created - 1.0)
    return _left_out(events, started_first, "a start or an end more than a second before the arrival", account)


def _types(events: pd.DataFrame, account: Account) -> NDArray[np.bool_]:
    """Which tasks are a plan_and_apply."""
    import numpy as np

    there = events.type.notna().to_numpy()
    said = events.type.to_numpy() == "plan_and_apply"
    shows = (events.confirmed.notna() | events.apply_started.notna() | events.apply_ended.notna()).to_numpy()
    shows = shows | (events.status.to_numpy() == "discarded")
    # A plan that has ended without the task being final waits for its human.
    waits = (events.status == "underway").to_numpy() & events.plan_ended.notna().to_numpy()
    shows = shows | (waits & shows.any())
    if not there.all() and (~there).sum():
        found = int((~there & shows).sum())
        account.inferred.append(
            f"{int((~there).sum())} rows do not say their type: {found} that were decided or applied, or wait for a "
            "decision, are taken for plan_and_apply, the others for plan."
        )
    applies: NDArray[np.bool_] = np.where(there, said, shows).astype(bool)
    return applies


def _overtaken(events: pd.DataFrame, applies: NDArray[np.bool_], account: Account, lock: bool) -> pd.DataFrame:
    """Ends that a later run of the same workspace shows.

    Where workspaces are locked, a run that nobody decided was discarded when a later one of its workspace began. An
    apply that is said to go on while a later one of its workspace begins has an end that cannot be true, as Terraform
    locks the state of a workspace in any case.
    """
    import numpy as np

    events = events.copy()
    mine = events[applies & events.workspace.notna().to_numpy()]
    from_behind = mine.iloc[::-1].groupby("workspace", sort=False)

    def next_of(event: str) -> pd.Series[float]:
        """When that next happened to a later run of the same workspace."""
        return from_behind[event].transform(lambda moments: moments.cummin().ffill().shift(1)).reindex(mine.index)

    next_plan, next_apply = next_of("plan_started"), next_of("apply_started")
    undecided = (mine.status == "underway") & mine.confirmed.isna() & mine.plan_ended.notna()
    if not lock and undecided.any():
        account.inferred.append(
            f"{int(undecided.sum())} runs that nobody decided stay open to the end. Their slots are reserved for the "
            "reservation_ttl (24 h), and policies that keep pods while a task waits for its human keep them."
        )
    undecided &= lock
    after = undecided & next_plan.notna()
    if after.any():
        rows = mine.index[after]
        events.loc[rows, "confirmed"] = np.maximum(next_plan, mine.plan_ended)[after]
        events.loc[rows, "ended"] = events.confirmed[rows]
        events.loc[rows, "status"] = "discarded"
        account.inferred.append(
            f"{int(after.sum())} runs that nobody decided were followed by a run of their workspace: they are taken to "
            "have been discarded when that one began, or they would lock their workspace for ever."
        )
    left = int((undecided & ~after).sum())
    if left:
        account.inferred.append(
            f"{left} runs that nobody decided are the last of their workspace: they wait to the end, and hold their "
            "slot meanwhile."
        )
    unlocked = (next_plan < _final(mine)) & next_plan.notna()
    if lock and unlocked.any():
        account.notes.append(
            f"{int(unlocked.sum()):,} of {len(mine):,} runs were still open when the next plan_and_apply of their "
            "workspace began to plan. The simulation makes the next one wait. If the system does not lock workspaces, "
            "say --no-lock (in Python lock=False)."
        )
    false_end = (mine.apply_ended > next_apply) & (next_apply > mine.apply_started)
    if false_end.any():
        rows = mine.index[false_end]
        lengths = (events.apply_ended - events.apply_started)[applies].drop(rows)
        typical = float(np.nanmedian(lengths)) if lengths.notna().any() else 0.0
        longest = (next_apply - mine.apply_started)[false_end]
        events.loc[rows, "apply_ended"] = mine.apply_started[false_end] + np.minimum(longest, typical)
        account.inferred.append(
            f"{int(false_end.sum())} applies overlap the next apply of their workspace, which Terraform's lock of the "
            f"state forbids: they were shortened to the usual length of an apply ({typical:.0f} s), or to the time up "
            "to the next one."
        )
        for row in (mine.apply_ended - mine.apply_started)[false_end].sort_values(ascending=False).index[:3]:
            whole = float(mine.apply_ended[row] - mine.apply_started[row])
            account.odd.append(OddRow(str(mine.id[row]), f"an apply of {long_time(whole)}, overtaken by the next one"))
    return events


def _final(runs: pd.DataFrame) -> pd.Series[float]:
    """When each run was final, as far as that is known."""
    import numpy as np

    ended = runs.ended.fillna(runs.apply_ended)
    over = np.where(
        runs.status.isin(["discarded", "no_changes", "errored"]), runs.confirmed.fillna(runs.plan_ended), np.nan
    )
    return ended.fillna(runs["plan_ended"].where(np.isnan(over), over))


def _durations(
    events: pd.DataFrame, applies: NDArray[np.bool_], account: Account
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """How long plan, human and apply took; the usual time where the records do not say it and the model needs one."""
    import numpy as np

    ended, status = events.ended.to_numpy(), events.status.to_numpy()
    plan_ended = events.plan_ended.to_numpy()
    cut_off = np.isnan(plan_ended) & np.isin(status, ("errored", "done", "no_changes"))
    cut_off &= events.apply_started.isna().to_numpy()
    plan_ended = np.where(cut_off, ended, plan_ended)
    plan = np.round(plan_ended - events.plan_started.to_numpy(), 6)
    apply_ended = np.where(events.apply_ended.isna() & np.isin(status, ("errored", "done")), ended, events.apply_ended)
    apply = np.round(apply_ended - events.apply_started.to_numpy(), 6)
    confirm = np.round(events.confirmed.to_numpy() - plan_ended, 6)
    # An apply shows that somebody confirmed, or that it was confirmed by itself.
    at_once = applies & np.isnan(confirm) & ~np.isnan(events.apply_started.to_numpy())
    confirm = np.where(at_once, np.maximum(events.apply_started.to_numpy() - plan_ended, 0.0), confirm)
    if at_once.any():
        account.inferred.append(
            f"{int(at_once.sum())} runs were applied without a time of confirmation: they are taken to have been "
            "confirmed when their apply began, so that their wait for it is not known."
        )
    undated = applies & np.isnan(confirm) & (status == "discarded")
    needed = {
        "plan": (plan, np.isnan(plan), "runs have no length of their plan (they never began, or never ended)"),
        "confirm": (confirm, undated, "discarded runs do not say when"),
        "apply": (apply, np.isnan(apply) & applies & ~np.isnan(confirm) & (status != "discarded"),
                  "confirmed runs have no length of their apply (it never began, or never ended)"),
    }  # fmt: skip
    needed_values = {name: values for name, (values, _, _) in needed.items()}
    for name, (values, missing, what) in needed.items():
        if missing.any():
            known = np.sort(values[~np.isnan(values)])
            if name == "plan" and not len(known):
                problem = "found no row that says how long its plan took, expected its begin and its end, or its length"
                raise InputError(account.source, "plan", problem)
            taken = _spread(known, int(missing.sum()))
            needed_values[name] = values.copy()
            needed_values[name][missing] = taken
            account.inferred.append(
                f"{int(missing.sum())} {what}: each gets a length from the other rows, short and long ones evenly "
                f"(median {np.median(taken):.6g} s)."
            )
    plan, confirm, apply = needed_values["plan"], needed_values["confirm"], needed_values["apply"]
    confirm = np.where(applies, confirm, np.nan)
    apply = np.where(applies & ~np.isnan(confirm), apply, np.nan)
    return plan, confirm, apply


def _spread(known: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """So many of the *known* values in ascending order, evenly spread over them: by multiples of the golden ratio."""
    import numpy as np

    if not len(known):
        return np.zeros(count)
    places = (0.5 + np.arange(count) * 0.6180339887498949) % 1.0
    return np.asarray(known[np.floor(places * len(known)).astype(np.int64)], dtype=np.float64)


def _cancellations(
    events: pd.DataFrame, plan: NDArray[np.float64], apply: NDArray[np.float64], account: Account
) -> NDArray[np.float64]:
    """How long after its arrival each task was canceled; NaN if it was not."""
    import numpy as np

    canceled = (events.status == "canceled").to_numpy()
    unknown = canceled & events.ended.isna().to_numpy()
    last = events[list(EVENTS)].max(axis=1).to_numpy()
    applying = ~np.isnan(events.apply_started) & np.isnan(events.apply_ended)
    planning = ~np.isnan(events.plan_started) & np.isnan(events.plan_ended)
    usual = np.nanmedian(apply) if (~np.isnan(apply)).any() else 0.0
    last = last + np.where(applying, usual, np.where(planning, plan, 0.0))
    moment = np.where(events.ended.isna(), last, events.ended)
    if unknown.any():
        account.inferred.append(
            f"{int(unknown.sum())} canceled runs do not say when: they are taken to have been canceled at the last "
            "moment that is known of them, or, if they were running, when that would usually have been over."
        )
    return np.where(canceled, np.round(np.maximum(moment - events.created, 0.0), 6), np.nan)
