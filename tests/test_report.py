"""The report: one file that anybody can open, and that says what happened."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pytest

mpl.use("Agg")

from matplotlib import pyplot as plt

import sim
from sim.cli import main
from sim.report.page import report, worst_replications
from sim.report.svg import as_svg

from support import scenario

BUSY = {
    "process": "poisson",
    "rate": "40/h",
    "plan_and_apply_share": 1,
    "plan": 90,
    "confirm": "10m",
    "apply": 99,
}


@pytest.fixture(scope="module")
def page() -> str:
    return report(sim.run(sim.load_scenario("scenarios/reserved-pod-deleted.yaml")))


@pytest.fixture(scope="module")
def large() -> str:
    """A report on 100,000 tasks and a thousand pods."""
    arrivals = {"process": "poisson", "rate": "6000/h", "plan_and_apply_share": 0.3, "plan": 90, "confirm": "10m",
                "apply": "3m", "workspaces": 20_000}  # fmt: skip
    experiment = scenario(
        horizon=60_000, workload={"arrivals": arrivals}, pool={"max_pods": 1000, "initial_pods": 1000},
        faults=[{"kind": "pod_deletion", "every": "1h", "target": "reserved"}], policies=["old", "fixed"],
    )  # fmt: skip
    result = sim.run(experiment)
    assert len(result.tasks) > 190_000
    return report(result)


def command(*words: str) -> int:
    sys.argv = ["sim", *words]
    with pytest.raises(SystemExit) as leaving:
        main()
    return int(leaving.value.code or 0)


def test_it_says_what_went_wrong(page: str) -> None:
    assert "95 % of applies start within 4,930 s (82.2 min) and 95 % of plans at once" in page
    assert "fixed serves no better and costs 7.96 pod-hours." in page
    assert "Nothing in this scenario is random" in page
    assert "<title>reserved 599: 0:01:01 to 1:31:01</title>" in page
    assert "pod deletion at 5 min, pod: 0" in page
    assert "1 to 5 pods, 2 at the start; 3 slots each, 1 of them for applies" in page


def test_it_needs_nothing_else(page: str) -> None:
    without_names_of_formats = page.replace('xmlns:xlink="http://www.w3.org/1999/xlink"', "")
    assert "http" not in without_names_of_formats
    assert not re.search(r"(src|href)=[\"'](?!#)", without_names_of_formats)
    assert "@import" not in page


def test_no_two_things_have_one_id(page: str) -> None:
    assert [name for name, count in Counter(re.findall(r'\bid="([^"]*)"', page)).items() if count > 1] == []
    for wanted in set(re.findall(r'(?:href="|url\()#([^")]*)', page)):
        assert f'id="{wanted}"' in page


def test_it_is_the_same_every_time(page: str) -> None:
    assert report(sim.run(sim.load_scenario("scenarios/reserved-pod-deleted.yaml"))) == page


def test_what_is_written_in_a_picture_stays_as_it_is() -> None:
    def draw() -> None:
        plt.subplots()[1].text(0.123456, 0.5, "0.0235 s")

    drawn = as_svg(draw, "0.12345", "p")
    assert ">0.0235 s<" in drawn
    assert 'aria-label="0.12345"' in drawn
    assert not re.search(r'x="\d+\.\d{3}', drawn)


def test_a_name_is_no_markup() -> None:
    experiment = scenario(
        workload={"tasks": [{"id": "<b>", "type": "plan", "workspace": "&", "arrive": 0, "plan": 1000}]},
        policies=[{"name": "static", "label": "<script>x</script>"}], description="<i> & `code`",
    )  # fmt: skip
    text = report(sim.run(experiment))
    assert "<b>" not in text
    assert "<script>x" not in text
    assert "&lt;i&gt; &amp; <code>code</code>" in text


def test_the_replications_with_the_longest_waits_come_first() -> None:
    result = sim.run(scenario(workload={"arrivals": BUSY}, replications=5, policies=["old", "static"]))
    longest = result.tasks.groupby("replication").apply_wait.max()
    chosen = worst_replications(result)
    assert len(chosen) == 3
    assert longest[chosen].tolist() == sorted(longest, reverse=True)[:3]
    assert report(result).count('class="replication"') == 3


def test_a_report_on_very_many_tasks_is_small_and_says_what_it_leaves_out(large: str) -> None:
    assert len(large.encode()) < 5_000_000
    assert re.search(r"old \(only \d+:\d\d(:\d\d)? to", large)
    assert "more pods" in large


def test_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copy("scenarios/reserved-pod-deleted.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)
    folder = Path("results/reserved-pod-deleted")
    assert command("run", "reserved-pod-deleted.yaml", "--report") == 0
    assert f"Report: {folder}/report.html" in capsys.readouterr().out
    text = (folder / "report.html").read_text()
    assert command("report", str(folder), "-o", "other.html") == 0
    assert Path("other.html").read_text() == text
    assert command("plot", str(folder), "waits", "-o", "waits.png") == 0
    assert Path("waits.png").stat().st_size > 5000
    assert command("export", str(folder), "--trace-events", "trace.json") == 0
    assert Path("trace.json").stat().st_size > 1000
    capsys.readouterr()
    for words, message in (
        (
            ("report", "nowhere"),
            "nowhere/manifest.json: cannot be read: No such file or directory, expected a folder that",
        ),
        (
            ("plot", str(folder), "waits", "-o", "a.bmp"),
            "a.bmp: found the ending '.bmp', expected one of .png, .svg, .pdf",
        ),
        (
            ("plot", str(folder), "wait", "-o", "a.png"),
            "sim plot: Invalid value for '{timeline|waits|plan_waits|pods|causes|plan_causes|frontier}'",
        ),
        (("export", str(folder), "--trace-events", "/proc/a/b"), "/proc/a/b: cannot be written: "),
    ):
        assert command(*words) == 2
        err = capsys.readouterr().err
        assert err.startswith(message)
        assert err.count("\n") == 1
    (folder / "manifest.json").write_text("{}")
    assert command("report", str(folder)) == 2
    assert "found another format, expected that of this version" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("manifest.json", '"replications": 1,', '"replications": "x",'),
        ("manifest.json", '"replications": 1,', '"replications": 0,'),
        ("manifest.json", '"seconds": 0.0', '"seconds": "a"'),
        ("manifest.json", '"fixed"\n', '"old"\n'),
        ("summary.json", '"pod_seconds"', '"pod_minutes"'),
        ("summary.json", '"comparisons": {', '"comparisons": null, "others": {'),
    ],
)
def test_a_damaged_folder_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], file: str, old: str, new: str
) -> None:
    folder = tmp_path / "reserved-pod-deleted"
    assert (
        command("run", "-q", "scenarios/reserved-pod-deleted.yaml", "-p", "old", "-p", "fixed", "-o", str(tmp_path))
        == 0
    )
    text = (folder / file).read_text()
    assert old in text
    (folder / file).write_text(text.replace(old, new))
    assert command("report", str(folder)) == 2
    err = capsys.readouterr().err
    assert "found another format, expected that of this version" in err
    assert err.count("\n") == 1


def test_another_table_in_its_place_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("run", "-q", "scenarios/reserved-pod-deleted.yaml", "-o", str(tmp_path)) == 0
    folder = tmp_path / "reserved-pod-deleted"
    shutil.copy(folder / "pods.parquet", folder / "tasks.parquet")
    assert command("plot", str(folder), "waits", "-o", str(tmp_path / "a.png")) == 2
    assert "tasks.parquet: found no column task_id" in capsys.readouterr().err


def test_a_link_and_a_device_are_written_through(tmp_path: Path) -> None:
    from sim.results.atomic_write import write_text

    (tmp_path / "link").symlink_to("target")
    write_text(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_text() == "new"
    write_text(Path("/dev/null"), "nothing")
    assert not Path("/dev/null").is_file()
    with (tmp_path / "out").open("w") as out:
        code = "from pathlib import Path; from sim.results.atomic_write import write_text; write_text(Path('/dev/stdout'), 'x')"
        subprocess.run([sys.executable, "-c", code], stdout=out, check=True)
    assert (tmp_path / "out").read_text() == "x"
    assert Path("/dev/stdout").is_symlink()


# In a browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Headless Chromium. `.ci/run` installs it where it may; without it these tests are skipped, and say so."""
    if not (shutil.which("chromium") and shutil.which("chromedriver")):
        pytest.skip("no chromium and chromedriver on this machine: the report was not opened in a browser")
    webdriver = pytest.importorskip("selenium.webdriver", reason="no selenium: the report was not opened in a browser")
    from selenium.common import exceptions as selenium_errors

    options = webdriver.ChromeOptions()
    for flag in ("headless=new", "no-sandbox", "disable-gpu", "no-first-run", "disable-background-networking",
                 "disable-component-update", "disable-sync", "disable-quic", "disable-dev-shm-usage"):  # fmt: skip
        options.add_argument(f"--{flag}")
    options.binary_location = shutil.which("chromium")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = webdriver.ChromeService(executable_path=shutil.which("chromedriver"))
    try:
        driver = webdriver.Chrome(options=options, service=service)
    except selenium_errors.WebDriverException as error:
        pytest.skip(f"chromium does not start here ({error.msg}): the report was not opened in a browser")
    yield driver
    driver.quit()


def opened(browser: Any, page: str, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text(page, encoding="utf-8")
    browser.get(path.as_uri())


def visible(browser: Any) -> list[bool]:
    return list(
        browser.execute_script(
            "return [...document.querySelectorAll('figure svg')].filter(e => !e.closest('[hidden]'))"
            ".map(e => { const box = e.getBoundingClientRect(); return box.width > 200 && box.height > 80; })"
        )
    )


def test_it_opens_without_an_error_and_shows_every_figure(browser: Any, page: str, tmp_path: Path) -> None:
    opened(browser, page, tmp_path)
    assert browser.get_log("browser") == []
    assert visible(browser) == [True] * 7
    assert browser.execute_script("return document.documentElement.scrollWidth <= window.innerWidth")


def test_the_keyboard_is_enough(browser: Any, page: str, tmp_path: Path) -> None:
    from selenium.webdriver import ActionChains, Keys

    opened(browser, page, tmp_path)
    seen = []
    for _ in range(6):
        ActionChains(browser).send_keys(Keys.TAB).perform()
        seen.append(browser.execute_script("const e = document.activeElement; return e.ariaLabel || e.className"))
        if seen[-1] == "Zoom in":
            break
    assert seen[-1] == "Zoom in"
    width = "return document.querySelector('figure.large svg').getBoundingClientRect().width"
    before = browser.execute_script(width)
    ActionChains(browser).send_keys(Keys.ENTER).perform()
    assert browser.execute_script(width) == pytest.approx(before * 1.5, rel=0.02)


def test_it_prints(browser: Any, page: str, tmp_path: Path) -> None:
    opened(browser, page, tmp_path)
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        assert browser.execute_script("return getComputedStyle(document.querySelector('button')).display") == "none"
        assert browser.execute_script("return getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert visible(browser) == [True] * 7
    finally:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    assert len(browser.print_page()) > 10_000


def test_it_is_light_on_dark_where_that_is_wanted(browser: Any, page: str, tmp_path: Path) -> None:
    opened(browser, page, tmp_path)
    look = "return [getComputedStyle(document.body).backgroundColor, getComputedStyle(document.querySelector('svg text')).fill]"
    feature = {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", feature)
    try:
        assert browser.execute_script(look) == ["rgb(20, 22, 26)", "rgb(232, 234, 238)"]
    finally:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_a_choice_of_replication(browser: Any, tmp_path: Path) -> None:
    from selenium.webdriver.support.select import Select

    result = sim.run(scenario(workload={"arrivals": BUSY}, replications=3, policies=["old", "static"]))
    opened(browser, report(result), tmp_path)
    assert visible(browser) == [True] * 7
    Select(browser.find_element("id", "replication")).select_by_index(1)
    shown = (
        "return [...document.querySelectorAll('.replication')].filter(e => !e.hidden).map(e => e.dataset.replication)"
    )
    assert browser.execute_script(shown) == [str(worst_replications(result)[1])]
    assert visible(browser) == [True] * 7


def test_a_report_on_very_many_tasks_opens(browser: Any, large: str, tmp_path: Path) -> None:
    opened(browser, large, tmp_path)
    assert browser.get_log("browser") == []
    assert visible(browser) == [True] * 7
