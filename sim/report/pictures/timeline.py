"""What happened on every slot: who ran where, what was reserved for whom, who waited, and what went wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sim.report.one_run import OneRun, waited_until
from sim.report.pictures import style
from sim.report.pictures.time_window import TimeWindow, shown_pods, worst_time_window

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from sim.results.result_base import ResultBase

HOVER = "hover:"
"""How the ids of bars begin; what follows says what the bar is. The report shows it where the pointer is."""

WAITERS = 8
"""A timeline shows no more waiting tasks of one policy than this: those that wait longest."""

FAULTS = {"pod_deletion": ":", "config_change": "--"}
"""How the lines of faults are drawn that are over at once."""


def timeline(
    result: ResultBase,
    policy: str | None = None,
    replication: int = 0,
    window: tuple[float, float] | None = None,
    ax: Axes | None = None,
) -> Any:
    """One lane per slot, and above them one per confirmed task that waits, from its confirmation to its apply.

    Args:
        result: what to draw.
        policy: the label of one policy; all below each other if not given, or the first if there is *ax*.
        replication: which world.
        window: from when to when, in seconds; by default all, or the worst stretch of a run too long to be seen.
        ax: where to draw one policy.

    Returns:
        The axes, or an array of them, one per policy.
    """
    horizon = result.scenario.end
    stretch = worst_time_window(result, replication) if window is None else TimeWindow(*window, horizon)
    if ax is not None:
        _Lanes(result, policy or result.labels[0], replication, stretch).draw(ax)
        return ax
    shown = [policy] if policy else list(result.labels)
    lanes = [_Lanes(result, label, replication, stretch) for label in shown]
    heights = [max(each.count, 3) + 1.5 for each in lanes]
    column = style.new_column(len(shown), (9.5, 0.6 + 0.21 * sum(heights)), heights)
    for each, axes in zip(lanes, column, strict=True):
        each.draw(axes)
    column[-1].set_xlabel("simulated time, h:min")
    _legend(column[0], set(result.incidents.kind), bool(result.pods.draining_at.notna().any()))
    return column[0] if policy else np.array(column, dtype=object)


def _legend(axes: Axes, kinds: set[str], drains: bool) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Any] = [
        Patch(facecolor=phase.colour, hatch=phase.hatch, edgecolor=style.GREY, linewidth=0.5, label=phase.name)
        for phase in style.PHASES.values()
    ]
    if not drains:
        handles = [handle for handle in handles if handle.get_label() != style.PHASES["draining"].name]
    handles.append(Patch(facecolor=style.WAIT, label="confirmed, waiting"))
    handles.append(Line2D([], [], color=style.WAIT, marker="v", linestyle=":", label="pod deleted"))
    if "server_restart" in kinds:
        handles.append(Line2D([], [], color=style.GREY, linewidth=2.5, alpha=0.6, label="server restarts"))
    if "config_change" in kinds:
        handles.append(Line2D([], [], color=style.WAIT, linestyle="--", label="configuration changed"))
    axes.legend(
        handles=handles, ncols=len(handles), frameon=False, fontsize=8, loc="lower left", bbox_to_anchor=(-0.02, 1.0),
        columnspacing=1.0, handlelength=1.6,
    )  # fmt: skip
    axes.set_title(axes.get_title(loc="left"), loc="left", pad=24, fontsize=11, fontweight="bold")


class _Lanes:
    """The lanes of one policy."""

    def __init__(self, result: ResultBase, label: str, replication: int, stretch: TimeWindow) -> None:
        run = OneRun(result, label, replication)
        self._label = label
        self._stretch = stretch
        self._run = run
        self._tasks = run.tasks[run.tasks.execution_mode == "k8s"]
        self._reservations = run.reservations
        self._incidents = run.incidents
        waiting = self._tasks[self._tasks.apply_wait > 0]
        waiting = stretch.cuts(waiting.assign(until=waited_until(waiting)), "confirmed_at", "until")
        self._waiting = waiting.nlargest(WAITERS, "apply_wait").sort_values("confirmed_at")
        self._more_waiting = len(waiting) - len(self._waiting)
        chosen, self._left_out = shown_pods(run.pods, self._waiting, stretch)
        self._pods = run.pods[run.pods.pod.isin(chosen)]
        keys = [(pod, slot) for pod in chosen for slot in range(run.slots[pod])]
        self._lane = {key: len(self._waiting) + row for row, key in enumerate(keys)}

    @property
    def count(self) -> int:
        """How many lanes there are."""
        return len(self._waiting) + len(self._lane)

    def draw(self, axes: Axes) -> None:
        self._draw_pods(axes)
        self._draw_runs(axes)
        self._draw_silences(axes)  # over what goes on there
        self._draw_waits(axes)
        self._draw_faults(axes)
        labels = [f"waits: {style.name(task.task_id, 16)}" for task in style.rows(self._waiting)]
        labels += [
            f"{style.name(self._run.pod_names[pod], 16)} · {slot}" if slot == 0 else str(slot)
            for pod, slot in self._lane
        ]
        axes.set_yticks(range(self.count), labels, fontsize=8)
        axes.set_ylim(max(self.count, 1) - 0.4, -0.6)
        axes.tick_params(axis="y", length=0)
        style.time_axis(axes, self._stretch.begin, self._stretch.end)
        style.plain(axes)
        axes.grid(visible=False, axis="y")
        axes.set_title(self._title(), loc="left", fontsize=11, fontweight="bold")

    def _title(self) -> str:
        said = []
        if not self._stretch.is_whole:
            said.append(f"only {style.clock(self._stretch.begin)} to {style.clock(self._stretch.end)}")
        if self._left_out:
            said.append(f"without {self._left_out} more pods")
        if self._more_waiting:
            said.append(f"without {self._more_waiting} more tasks that wait")
        name = style.name(self._label)
        return f"{name} ({', '.join(said)})" if said else name

    def _bar(self, axes: Axes, lane: float, begin: float, end: float, phase: style.BarStyle, text: str = "") -> None:
        until = "the end" if np.isnan(end) else style.clock(end)
        stop = self._stretch.end if np.isnan(end) else end
        if stop <= self._stretch.begin or begin >= self._stretch.end:
            return
        axes.broken_barh(
            [(begin, stop - begin)], (lane - 0.38, 0.76), facecolor=phase.colour, hatch=phase.hatch,
            edgecolor=style.GREY, linewidth=0.4, gid=f"{HOVER}{phase.name} {text}: {style.clock(begin)} to {until}",
        )  # fmt: skip
        seen = min(stop, self._stretch.end) - max(begin, self._stretch.begin)
        if text and seen > (self._stretch.end - self._stretch.begin) * 0.011 * (len(text) + 1):
            middle = max(begin, self._stretch.begin) + seen / 2
            axes.text(
                middle, lane, text, ha="center", va="center_baseline", fontsize=7, color="black", clip_on=True,
                bbox={"boxstyle": "round,pad=0.1", "facecolor": "white", "edgecolor": "none", "alpha": 0.75}
                if phase.hatch
                else None,
            )  # fmt: skip

    def _draw_pods(self, axes: Axes) -> None:
        for pod in style.rows(self._pods):
            end = self._stretch.end if np.isnan(pod.deleted_at) else pod.deleted_at
            for slot in range(self._run.slots[pod.pod]):
                lane = self._lane[pod.pod, slot]
                if pod.draining_at < end:
                    self._bar(axes, lane, pod.draining_at, end, style.PHASES["draining"])
                axes.hlines(lane, pod.created_at, end, color=style.GREY, linewidth=1, zorder=0)
                ready = end if np.isnan(pod.ready_at) else pod.ready_at
                if ready > pod.created_at:
                    self._bar(axes, lane, pod.created_at, ready, style.PHASES["starting"])

    def _draw_runs(self, axes: Axes) -> None:
        for part, begin, end in (
            ("plan", "plan_started_at", "plan_ended_at"),
            ("apply", "apply_started_at", "apply_ended_at"),
        ):
            ran = self._tasks[self._tasks[begin].notna()]
            ran = ran.assign(until=ran[end].fillna(ran.ended_at))
            for task in style.rows(self._stretch.cuts(ran, begin, "until")):
                key = (getattr(task, f"{part}_pod"), getattr(task, f"{part}_slot"))
                if key in self._lane:
                    phase = style.PHASES[part]
                    self._bar(axes, self._lane[key], getattr(task, begin), task.until, phase, style.name(task.task_id))
        for held in style.rows(self._stretch.cuts(self._reservations, "reserved_at", "released_at")):
            if (held.pod, held.slot) in self._lane:
                lane = self._lane[held.pod, held.slot]
                self._bar(
                    axes, lane, held.reserved_at, held.released_at, style.PHASES["reserved"], style.name(held.task_id)
                )

    def _draw_silences(self, axes: Axes) -> None:
        for silence in style.rows(self._incidents[self._incidents.kind == "pod_offline"]):
            gone = self._pods[self._pods.pod == silence.pod].deleted_at
            for slot in range(self._run.slots[silence.pod]):
                if (silence.pod, slot) in self._lane:
                    end = np.fmin(silence.until, gone.iloc[0])
                    self._bar(axes, self._lane[silence.pod, slot], silence.time, end, style.PHASES["offline"])

    def _draw_waits(self, axes: Axes) -> None:
        for lane, task in enumerate(style.rows(self._waiting)):
            wait = style.BarStyle("wait", style.WAIT)
            self._bar(axes, lane, task.confirmed_at, task.until, wait, style.duration(task.apply_wait))
            target = self._lane.get((task.apply_pod, task.apply_slot))
            if target is not None and self._stretch.begin <= task.apply_started_at <= self._stretch.end:
                axes.annotate(
                    "", (task.apply_started_at, target - 0.4), (task.apply_started_at, lane + 0.4),
                    arrowprops={"arrowstyle": "->", "color": style.WAIT, "linewidth": 1.0},
                )  # fmt: skip

    def _draw_faults(self, axes: Axes) -> None:
        inside = (self._incidents.time >= self._stretch.begin) & (self._incidents.time < self._stretch.end)
        for fault in style.rows(self._incidents[inside]):
            if fault.kind == "server_restart":
                axes.axvspan(
                    fault.time, max(fault.until, fault.time), color=style.GREY, alpha=0.35, linewidth=1.5, zorder=0
                )
            elif fault.kind in FAULTS:
                axes.axvline(fault.time, color=style.WAIT, linewidth=0.9, linestyle=FAULTS[fault.kind])
                top = self._lane.get((fault.pod, 0))
                middle = -0.6 if top is None else top + (self._run.slots[fault.pod] - 1) / 2
                if fault.kind == "pod_deletion":
                    axes.plot(fault.time, middle, marker="v", color=style.WAIT, markersize=7, clip_on=False)
