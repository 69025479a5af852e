"""Matplotlib figures as SVG that fits into a page: its ink is the page's, and its text is text."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape
from io import StringIO
from typing import Any
from warnings import catch_warnings

from sim.report.pictures.timeline import HOVER

INK = "#010203"
"""A colour that no picture uses. It stands for the page's own, which is light on dark or dark on light."""

ESCAPED = r"\$"
"""How a dollar sign is written for Matplotlib; see `sim.report.pictures.style.name`."""


def as_svg(draw: Callable[[], Any], title: str, prefix: str) -> str:
    """What *draw* draws with Matplotlib's pyplot, as an SVG element.

    Args:
        draw: draws on a new figure.
        title: what the picture shows, for those who cannot see it.
        prefix: keeps the ids of one picture apart from those of others on the page.
    """
    from matplotlib import pyplot as plt

    look: dict[Any, Any] = {
        "svg.fonttype": "none",
        "svg.hashsalt": prefix,
        "font.family": "sans-serif",
        **dict.fromkeys(("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color"), INK),
        "axes.facecolor": "none",
        "figure.facecolor": "none",
        "savefig.facecolor": "none",
        "hatch.linewidth": 0.7,
    }
    # A letter that the font lacks is drawn as a box; that is not worth a warning.
    with plt.rc_context(look), plt.ioff(), catch_warnings(action="ignore", category=UserWarning):
        draw()
        figure = plt.gcf()
        out = StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
        plt.close(figure)
    return _for_page(out.getvalue(), title, prefix)


def _for_page(text: str, title: str, prefix: str) -> str:
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = text.replace(INK, "currentColor")
    text = re.sub(rf'<g id="{HOVER}([^"]*)">', lambda m: f"<g><title>{m[1].replace(ESCAPED, '$')}</title>", text)
    text = re.sub(r'\bid="', f'id="{prefix}-', text)
    text = re.sub(r'href="#', f'href="#{prefix}-', text)
    text = re.sub(r"url\(#", f"url(#{prefix}-", text)
    text = re.sub(r"font: ([0-9.]+px) [^;\"]*", r"font: \1 sans-serif", text)
    # Two decimals of a point are more than any screen shows. What is written stays as it is.
    text = re.sub(r"<[^>]*>", lambda tag: re.sub(r"(\d+\.\d{2})\d+", r"\1", tag[0]), text)
    head = re.search(r"<svg[^>]*>", text)
    assert head is not None
    size = re.search(r'viewBox="[^"]*"', head[0])
    assert size is not None
    links = 'xmlns:xlink="http://www.w3.org/1999/xlink"'
    return f'<svg {links} role="img" aria-label="{escape(title)}" {size[0]}>' + text[head.end() :]
