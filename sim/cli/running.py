"""Loading the scenarios that a command line names, and running them one after another."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sim.api import Result
    from sim.scenario import Scenario


def results_of(
    sources: tuple[str, ...],
    quiet: bool,
    checked: bool,
    *,
    out: Path,
    policies: tuple[str, ...],
    jobs: int | None,
    allow_plugins: bool,
    before: Callable[[Scenario], object] | None = None,
    report: bool = False,
    settings: tuple[str, ...] = (),
    **changes: Any,
) -> Iterator[tuple[Result, Path, str]]:
    """Run scenario by scenario and write the results; each with its folder and where it was read from.

    *before* is called with each scenario before the first is run, to find out what would stop it later.
    """
    from contextlib import ExitStack

    import sim
    from sim.cli.progress import cores, progress
    from sim.cli.signals import leave_if_asked
    from sim.experiment.time_limited_policy import ANSWER_TIMEOUT
    from sim.results.store import reserved_place

    loaded = load_all(sources, quiet, policies, allow_plugins, checked, settings)
    if before is not None:
        for scenario in loaded:
            before(scenario)
    with ExitStack() as stack:
        # Every place is taken before the first simulation begins: a folder that cannot be written costs no time.
        places = [stack.enter_context(reserved_place(out, scenario.name)) for scenario in loaded]
        for scenario, place, source in zip(loaded, places, sources, strict=True):
            leave_if_asked()
            with progress(scenario.name, quiet) as advance:
                result = sim.run(
                    scenario,
                    policies or None,
                    jobs=jobs or cores(),
                    allow_plugins=allow_plugins,
                    answer_timeout=ANSWER_TIMEOUT,
                    progress=advance,
                    **changes,
                )
            yield result, place.write(result, _pages(result) if report else None), source


def _pages(result: Result) -> dict[str, str]:
    import matplotlib

    from sim.report.page import report

    matplotlib.use("Agg")
    return {"report.html": report(result)}


def load_all(
    sources: tuple[str, ...],
    quiet: bool,
    policies: tuple[str, ...],
    allow_plugins: bool,
    checked: bool,
    settings: tuple[str, ...] = (),
) -> list[Scenario]:
    """The scenarios, with their policies and thresholds looked up: a mistake in the last stops the first, too.

    Where other policies take the place of the scenario's, thresholds are looked at only if they are to be *checked*.
    """
    from sim.traces.load import load_scenario

    if len(sources) != len(set(sources)):
        raise click.UsageError("found a scenario twice, expected each once", click.get_current_context())
    changes = _changes(settings)
    loaded = [_changed(load_scenario(source), changes, source) for source in sources]
    names: dict[str, str] = {}
    for scenario, source in zip(loaded, sources, strict=True):
        _look_up(scenario, policies, allow_plugins, checked)
        other = names.setdefault(scenario.name, source)
        if other != source:
            raise scenario.mistake(("name",), f"found {scenario.name!r}, which is the name in {other} too; "
                                              "expected another, as results go by it")  # fmt: skip
        if not quiet:
            for note in _trace_notes(scenario):
                click.echo(note, err=True)
    return loaded


def _changes(settings: tuple[str, ...]) -> dict[str, Any]:
    """The changes that `--set` asks for, by path. A value is written as in a scenario file."""
    from sim.scenario import InputError
    from sim.scenario.reading.document import Document

    found = {}
    for setting in settings:
        path, equals, value = setting.partition("=")
        if not equals or not path.strip():
            raise InputError("", "--set", f"found {setting!r}, expected PATH=VALUE, such as pool.max_pods=30")
        found[path.strip()] = Document(value, f"--set {path.strip()}").data
    return found


def _changed(scenario: Scenario, changes: dict[str, Any], source: str) -> Scenario:
    from sim.scenario import InputError
    from sim.traces.recording import recording_of

    if not changes:
        return scenario
    try:
        changed = scenario.with_changes(changes)
    except InputError as error:
        raise InputError("", f"--set {error.field}", f"{error.problem} (in {source})") from None
    recording_of(changed)
    return changed


def _trace_notes(scenario: Scenario) -> tuple[str, ...]:
    if scenario.workload.trace is None:
        return ()
    from sim.traces.recording import recording_of

    recording = recording_of(scenario)
    return () if recording is None else recording.notes


def _look_up(scenario: Scenario, policies: tuple[str, ...], allow_plugins: bool, checked: bool) -> None:
    from sim.experiment.named_policies import named_policies

    labels = [named.label for named in named_policies(scenario, policies or None, allow_plugins)]
    if checked or not policies:
        from sim.check.thresholds import expect_known_metrics, thresholds_of

        thresholds_of(scenario, labels)
        expect_known_metrics(scenario)
