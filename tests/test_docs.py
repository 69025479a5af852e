"""What the documentation says is so: its examples run, and its figures are those of the baselines."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import sim
from sim.testing import check_declared_memory

ROOT = Path(__file__).parents[1]


def blocks(page: str, language: str) -> list[str]:
    """The code blocks of a page in one language."""
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / page).read_text(), flags=re.DOTALL)


def test_the_policy_of_the_page_runs_as_the_page_says(tmp_path: Path) -> None:
    policy, _, check = blocks("docs/your-policy.md", "python")
    (tmp_path / "mine.py").write_text(policy)
    (tmp_path / "test_mine.py").write_text(
        check.replace("check_policy(Headroom)", "check_policy(Headroom, bounds=False)")
    )
    (tmp_path / "scenario.yaml").write_text(
        (ROOT / "scenarios/reserved-pod-deleted.yaml").read_text().replace(
            "policies: [old, fixed, demand]", blocks("docs/your-policy.md", "yaml")[0]
        ).split("thresholds:")[0]
    )  # fmt: skip
    command = [sys.executable, "-m", "sim", "run", "-q", "--allow-plugins", "scenario.yaml"]
    subprocess.run(command, cwd=tmp_path, env={"PYTHONPATH": str(tmp_path)}, check=True)
    summary = json.loads((tmp_path / "results/reserved-pod-deleted/summary.json").read_text())
    assert list(summary["policies"]) == ["old", "headroom-3"]
    for answer in ("check_policy(Headroom)", "check_policy(Headroom, bounds=False)"):
        (tmp_path / "test_mine.py").write_text(check.replace("check_policy(Headroom)", answer))
        found = subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "test_mine.py"],
            cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert ("which is beyond the bounds" in found.stdout) == (found.returncode != 0) == ("False" not in answer)


def test_the_policy_of_the_page_that_remembers_says_so_rightly() -> None:
    names: dict[str, type] = {}
    exec(blocks("docs/your-policy.md", "python")[1], names)
    check_declared_memory(names["EveryMinute"])


def test_the_processes_of_the_page_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    names: dict[str, Any] = {}
    for block in blocks("docs/own-processes.md", "python"):
        exec(block, names)
    result = names["result"]
    # Task 598 holds a reservation until it applies, and task 599 from 61 to 5461 s: there is one to evict each time.
    assert (result.pods[result.pods.policy == "demand"].deleted_by == "pod_deletion").sum() >= 2
    scenario = names["scenario"].with_changes({"horizon": 10 * 3600.0})
    tasks = sim.run(scenario, ["old"], processes=[names["rush"], names["probe"], names["flaky_node"]]).tasks
    assert (tasks.arrived_at == 9 * 3600).sum() == 30
    assert (120.0, 2) in names["seen"]


def test_the_page_of_the_model_names_what_there_is() -> None:
    page = (ROOT / "docs/model.md").read_text()
    for link, named in re.findall(r"\]\(\.\./(sim/model/\w+\.py)\), `(\w+)`", page):
        assert re.search(rf"^ *(def|class) {named}\b", (ROOT / link).read_text(), flags=re.MULTILINE), (link, named)
    assert len(re.findall(r"sim/model/\w+\.py", page)) > 20


def test_the_python_of_the_readme_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    (code,) = blocks("README.md", "python")
    names: dict[str, object] = {}
    exec(code, names)
    assert isinstance(names["result"], sim.Result)


def test_the_table_of_the_readme_is_what_make_run_prints(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sim", "run", "scenarios/reserved-pod-deleted.yaml", "-o", str(tmp_path)]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    shown = re.findall(r"```\n(.*?)```", (ROOT / "README.md").read_text(), flags=re.DOTALL)
    wanted = [line.rstrip() for line in shown[0].splitlines() if not line.startswith("$")]
    assert wanted == [line.rstrip() for line in printed.split("Results:")[0].rstrip().splitlines()]


@pytest.mark.parametrize(
    ("page", "scenario", "policy", "metric", "unit", "said"),
    [
        ("findings", "reserved-pod-deleted", "old", "apply_wait.max", 1, "waits 4,930 s"),
        ("findings", "reserved-pod-deleted", "fixed", "pod_seconds", 3600, "7.96 pod-hours"),
        ("findings", "reserved-pod-deleted", "demand", "pod_seconds", 3600, "2.30 under `demand`"),
        ("findings", "reserved-pod-deleted-none-left", "fixed", "apply_wait.max", 1, "2,110 s"),
        ("findings", "reserved-pod-deleted-none-left", "old", "apply_wait.max", 1, "2,500 s"),
        ("findings", "apply-slots-busy", "fixed", "apply_wait.max", 1, "1,480 s"),
        ("findings", "apply-slots-busy", "old", "apply_wait.max", 1, "3,250 s"),
        ("findings", "only-pod-deleted", "fixed", "apply_wait.max", 1, "6,540 s"),
        ("findings", "reservation-lost-while-thinking", "fixed", "pod_seconds", 3600, "9.44 pod-hours"),
        ("findings", "reservation-lost-while-thinking", "old", "pod_seconds", 3600, "2.08"),
        ("findings", "reserved-pod-offline", "demand", "apply_wait.max", 1, "1,440 s"),
        ("findings", "steady-day", "old", "unplanned", 1, "190 are never planned"),
        ("findings", "steady-day", "fixed", "unplanned", 1, "19 under"),
        ("findings", "steady-day", "old", "censored", 1, "4.2 confirmed tasks still wait"),
        ("findings", "steady-day", "fixed", "pod_seconds", 3600, "300.8 pod-hours"),
        ("findings", "steady-day", "demand", "pod_seconds", 3600, "152.7 under `demand`"),
        ("findings", "steady-day", "fixed", "plan_wait.p95", 1, "within 1,800 s"),
        ("findings", "steady-day", "demand", "plan_wait.p95", 1, "34.6 s under `demand`"),
        ("demand", "steady-day", "demand", "plan_wait.p95", 1, "34.6 s"),
        ("demand", "steady-day", "demand", "completed", 1, "450"),
        ("demand", "steady-day", "demand", "pod_seconds", 3600, "153"),
        ("demand", "steady-day", "fixed", "apply_wait.mean", 1, "0.3 s / 301"),
        ("demand", "server-restart-late-reconciliation", "demand", "pod_seconds", 3600, "0 s / 2.9"),
        ("demand", "reservation-lost-while-thinking", "demand", "pod_seconds", 3600, "3.2"),
    ],
)  # fmt: skip
def test_a_figure_is_that_of_the_baseline(
    page: str, scenario: str, policy: str, metric: str, unit: int, said: str
) -> None:
    assert said in " ".join((ROOT / f"docs/{page}.md").read_text().split())
    baseline = json.loads((ROOT / f"results/baselines/{scenario}.json").read_text())
    # The last number in it; "0.3 s / 301" is a wait and a cost.
    figure = re.findall(r"[0-9][0-9,.]*", said)[0 if "wait" in metric else -1]
    digits = figure.rstrip(".").replace(",", "")
    decimals = len(digits.partition(".")[2])
    assert float(digits) == pytest.approx(
        baseline["policies"][policy][metric]["mean"] / unit, abs=0.5 * 10**-decimals + 1e-9
    )


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda path: path.stem)
def test_a_notebook_is_stripped(path: Path) -> None:
    cells = json.loads(path.read_text())["cells"]
    assert all(not cell["outputs"] and cell["execution_count"] is None for cell in cells if cell["cell_type"] == "code")
    assert len(cells) > 8


def test_links_lead_somewhere() -> None:
    for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]:
        for target in re.findall(r"\]\((?!https?://)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
