"""One picture in a file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from warnings import catch_warnings

from sim.report.plot import Plot
from sim.results.atomic_write import atomic_write
from sim.scenario import InputError
from sim.scenario.errors import shown

if TYPE_CHECKING:
    from sim.results.result_base import ResultBase

FORMATS = (".png", ".svg", ".pdf")


def save_picture(
    result: ResultBase, kind: str, path: Path, replication: int = 0, policy: str | None = None, dpi: int = 150
) -> None:
    """Draw the picture *kind* (see `sim.report.plot.KINDS`) and put it in the file *path*, whose ending says how.

    Raises:
        InputError: there is no such replication, policy or format, or the file cannot be written.
    """
    if path.suffix.lower() not in FORMATS:
        raise InputError(str(path), "", f"found the ending {shown(path.suffix)}, expected one of {', '.join(FORMATS)}")
    if policy is not None and kind != "timeline":
        raise InputError("", "policy", f"found {shown(policy)}, expected none, as {kind} shows all policies")
    if replication and kind not in ("timeline", "pods"):
        raise InputError("", "replication", f"found {replication}, expected none, as {kind} shows all replications")
    if replication >= result.replications:
        expected = f"expected one from 0 to {result.replications - 1}"
        raise InputError("", "replication", f"found {replication}, {expected}")
    if policy is not None and policy not in result.labels:
        raise InputError("", "policy", f"found {shown(policy)}, expected one of: {', '.join(result.labels)}")
    options: dict[str, object] = {"replication": replication} if kind in ("timeline", "pods") else {}
    if kind == "timeline":
        options["policy"] = policy
    save_figure(lambda: getattr(Plot(result), kind)(**options), kind, path, dpi)


def save_figure(draw: Callable[[], object], kind: str, path: Path, dpi: int = 150) -> None:
    """Put into the file *path* what *draw* draws with pyplot. The same figure makes the same file.

    Raises:
        InputError: there is no such format, or the file cannot be written.
    """
    if path.suffix.lower() not in FORMATS:
        raise InputError(str(path), "", f"found the ending {shown(path.suffix)}, expected one of {', '.join(FORMATS)}")
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    # Without a date, and with a salt of its own: the same results make the same file.
    metadata = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}.get(path.suffix.lower())
    try:
        # A letter that the font lacks is drawn as a box; that is not worth a warning.
        no_warnings = catch_warnings(action="ignore", category=UserWarning)
        with plt.rc_context({"svg.hashsalt": kind}), no_warnings, atomic_write(path) as partial:
            draw()
            plt.savefig(partial, format=path.suffix[1:].lower(), dpi=dpi, metadata=metadata)
    finally:
        plt.close("all")
