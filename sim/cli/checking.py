"""Telling what a check found, everywhere it was asked to be told."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

import click

from sim.check.checks import Finding
from sim.check.ci_reports import github_annotations, junit, lines, markdown, verdict
from sim.results.atomic_write import write_text


class Reporter:
    """Collects the findings of scenario after scenario, and tells them.

    Args:
        as_json: print JSON, and nothing else on standard output.
        quiet: print only what makes the check fail.
        junit_file: where to write a JUnit report, if at all.
        form: `github` to print annotations as well.
    """

    def __init__(self, as_json: bool, quiet: bool, junit_file: Path | None, form: str) -> None:
        self._as_json = as_json
        self._quiet = quiet
        self._junit_file = junit_file
        self._form = form
        self._results: list[tuple[str, Sequence[Finding], float]] = []
        self._baselines: dict[str, bool] = {}

    @property
    def missed(self) -> bool:
        """Whether a threshold or a baseline was missed."""
        return any(finding.blocks for _, findings, _ in self._results for finding in findings)

    def add(
        self, scenario: str, source: str, findings: Sequence[Finding], has_baseline: bool, seconds: float = 0.0
    ) -> None:
        """Tell the findings of one scenario, which took so many *seconds*."""
        self._results.append((scenario, findings, seconds))
        self._baselines[scenario] = has_baseline
        summary_file = os.environ.get("GITHUB_STEP_SUMMARY")
        if summary_file:
            with Path(summary_file).open("a", encoding="utf-8") as file:
                file.write(markdown(scenario, findings))
        if self._as_json:
            return
        if self._form == "github":
            for line in github_annotations(source, findings):
                click.echo(line)
        told = [f for f in findings if f.blocks] if self._quiet else findings
        for line in lines(scenario, told):
            click.echo(line)
        if not self._quiet:
            click.echo(f"{scenario}: {verdict(findings)}")

    def close(self) -> None:
        if self._junit_file is not None:
            write_text(self._junit_file, junit(self._results))
        if self._as_json:
            outcome = {
                scenario: {
                    "passed": not any(finding.blocks for finding in findings),
                    "baseline": self._baselines[scenario],
                    "checks": [
                        {"kind": f.kind, "name": f.name, "status": f.status, "blocks": f.blocks, "message": f.message}
                        for f in findings
                    ],
                }
                for scenario, findings, _ in self._results
            }
            click.echo(json.dumps(outcome, indent=2))
