"""What the figures of reports mean, with good and bad ranges: a report links to its own copy."""

import dataclasses
import functools
import html
import json
import re
from collections.abc import Sequence
from pathlib import Path

ANCHOR = "figure-"
"""What the anchors of figures begin with on the page of a report."""


@dataclasses.dataclass(frozen=True)
class Explained:
    """A figure of reports and records.

    Parameters
    ----------
    key : its name in records, and its anchor
    group : what it is measured on
    title : what it is called in text
    means : one or two sentences
    good, bad : ranges, and what to do about bad ones
    labels : headers and captions under which reports show it
    """

    key: str
    group: str
    title: str
    means: str
    good: str
    bad: str
    labels: tuple[str, ...] = ()


@functools.cache
def figures() -> dict[str, Explained]:
    """Return {key: what it means} of every figure."""
    text = Path(__file__).with_name("static").joinpath("glossary.json").read_text(encoding="utf-8")
    found = [Explained(**entry | {"labels": tuple(entry["labels"])}) for entry in json.loads(text)]
    return {item.key: item for item in found}


@functools.cache
def _labelled() -> dict[str, Explained]:
    return {label: item for item in figures().values() for label in item.labels}


def linked(label: str) -> str:
    """Return a label as HTML, with a link to its meaning where it is that of a figure."""
    shown, item = html.escape(label), _labelled().get(label)
    if item is None:
        return shown
    title = html.escape(f"{item.means} Good: {item.good}.", quote=True)
    return f'<a class="figure" href="#{ANCHOR}{item.key}" title="{title}">{shown}</a>'


def meaning(keys: Sequence[str]) -> str:
    """Return a line of links to the meaning of figures that captions and charts show."""
    if not keys:
        return ""
    links = ", ".join(
        f'<a href="#{ANCHOR}{key}">{html.escape(figures()[key].title)}</a>' for key in keys
    )
    return f'<p class="figures">What the figures mean: {links}.</p>'


def explanations(page: str) -> str:
    """Return the explanations of all figures that a page links to; nothing without links."""
    keys = set(re.findall(rf'href="#{ANCHOR}(\w+)"', page))
    rows = "".join(
        f'<dt id="{ANCHOR}{item.key}">{html.escape(item.title)}</dt>'
        f"<dd>{html.escape(item.means)}<br>Good: {html.escape(item.good)}. "
        f"Bad: {html.escape(item.bad)}.</dd>"
        for key, item in figures().items()
        if key in keys
    )
    return f'<dl class="glossary">{rows}</dl>' if rows else ""


def glossary_page() -> str:
    """Return all explanations as Markdown, the page `docs/glossary.md`."""
    parts = [
        "# Glossary of figures",
        "What the figures in reports and records mean, and which values are good or bad. Ranges "
        "are what was measured with this release; a figure outside of them wants a look at the "
        "pictures, not a verdict. Reports hold the same text: each figure links to it.",
    ]
    group = ""
    for item in figures().values():
        if item.group != group:
            group = item.group
            parts.append(f"## {group}")
        parts.append(f"### {item.key}")
        shown = f"**{item.title[0].upper()}{item.title[1:]}.** {item.means}"
        parts.append(f"{shown}\n\n- good: {item.good}\n- bad: {item.bad}")
    return "\n\n".join(parts) + "\n"
