"""What a check found, for a terminal, for CI services, and for test reports."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree

from sim.check.checks import Finding

MARKS = {
    "passed": "ok",
    "held": "ok",
    "improved": "ok, improved",
    "undecided": "UNDECIDED",
    "failed": "FAILED",
    "regressed": "REGRESSED",
}


def lines(scenario: str, findings: Sequence[Finding]) -> list[str]:
    """What was found, a line each: what makes the check fail first. Metrics as good as the baseline's are left out."""
    ordered = sorted(findings, key=lambda finding: (not finding.blocks, finding.status != "undecided"))
    told = []
    for finding in ordered:
        if finding.status == "held":
            continue  # there are many of them
        told.append(f"{scenario}: {MARKS[finding.status]}: {finding.name}: {finding.message}")
    return told


def verdict(findings: Sequence[Finding]) -> str:
    """The outcome in one sentence."""
    bad = [finding for finding in findings if finding.blocks]
    if not findings:
        return "nothing to check: no thresholds, and no baseline"
    if not bad:
        undecided = sum(finding.status == "undecided" for finding in findings)
        if undecided:
            return f"{len(findings) - undecided} of {len(findings)} checks passed, {undecided} undecided"
        return f"all {len(findings)} checks passed"
    first = bad[0]
    return f"{len(bad)} of {len(findings)} checks not passed; first {first.name}: {first.message}"


def github_annotations(file: str, findings: Sequence[Finding]) -> list[str]:
    """Workflow commands of GitHub Actions: errors and warnings at the threshold's line of the scenario file."""
    told = []
    for finding in findings:
        if finding.blocks or finding.status == "undecided":
            level = "error" if finding.blocks else "warning"
            place = f"file={_property(file)}" + (f",line={finding.line}" if finding.line else "")
            told.append(f"::{level} {place},title={_property(finding.name)}::{_data(finding.message)}")
    return told


def markdown(scenario: str, findings: Sequence[Finding]) -> str:
    """A table for a job's summary page."""
    rows = [f"| {MARKS[f.status]} | {_cell(f.name)} | {_cell(f.message)} |" for f in findings]
    return (
        f"### {scenario}: {_cell(verdict(findings))}\n\n| | what | figures |\n|---|---|---|\n"
        + "\n".join(rows)
        + "\n\n"
    )


def junit(results: Sequence[tuple[str, Sequence[Finding], float]]) -> str:
    """A JUnit report: a suite per scenario, a test case per threshold and per metric of the baseline.

    Each of *results* is a scenario's name, what was found, and how many seconds that took. As no case can be judged
    without running the scenario, its time is shared among them.
    """
    root = ElementTree.Element("testsuites")
    for scenario, findings, seconds in results:
        counts = {"tests": str(len(findings)), "failures": str(sum(f.blocks for f in findings)), "errors": "0"}
        counts["time"] = f"{seconds:.3f}"
        suite = ElementTree.SubElement(root, "testsuite", {"name": scenario, **counts})
        for finding in findings:
            case = ElementTree.SubElement(suite, "testcase", classname=f"{scenario}.{finding.kind}", name=finding.name)
            case.set("time", f"{seconds / len(findings):.3f}")
            if finding.blocks:
                failure = ElementTree.SubElement(case, "failure", message=finding.message, type=finding.status)
                failure.text = finding.message
            else:
                ElementTree.SubElement(case, "system-out").text = finding.message
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
