"""A single HTML file out of parts: sections, tables, figures, tiles. Everything is escaped here."""

import base64
import binascii
import dataclasses
import functools
import html
import io
import json
from collections.abc import Sequence
from pathlib import Path

from geomface.report.glossary import explanations, linked

PAGE = 50
"""Rows that a table of pages shows at a time."""


@dataclasses.dataclass(frozen=True)
class Figure:
    """A picture with its caption.

    Parameters
    ----------
    source : data URI of an image, or the text of an SVG
    caption : one or two sentences
    alt : what the picture shows, for readers who do not see it; the caption when left out
    pixels : show enlarged pixels as squares
    """

    source: str
    caption: str = ""
    alt: str = ""
    pixels: bool = False

    def to_html(self) -> str:
        """Return the figure element."""
        if self.source.startswith("data:"):
            alt = html.escape(self.alt or self.caption, quote=True)
            picture = f'<img src="{self.source}" alt="{alt}"{size_of(self.source)} loading="lazy">'
        else:
            picture = self.source
        caption = f"<figcaption>{html.escape(self.caption)}</figcaption>" if self.caption else ""
        style = ' class="pixels"' if self.pixels else ""
        return f"<figure{style}>{picture}{caption}</figure>"


def size_of(source: str) -> str:
    """Return the attributes that tell a picture's size, so that a page does not jump as it loads.

    Empty for what is no picture.
    """
    from PIL import Image

    try:
        data = base64.b64decode(source.partition(",")[2], validate=True)
        with Image.open(io.BytesIO(data)) as image:  # reads the head alone
            return f' width="{image.width}" height="{image.height}"'
    except (binascii.Error, OSError, ValueError):
        return ""


@dataclasses.dataclass(frozen=True)
class Section:
    """A titled part of a page; `parts` is ready HTML made by the functions below."""

    title: str
    anchor: str
    parts: Sequence[str]


def paragraph(text: str, style: str = "") -> str:
    """Return a paragraph of plain text."""
    attribute = f' class="{style}"' if style else ""
    return f"<p{attribute}>{html.escape(text)}</p>"


def heading(text: str) -> str:
    """Return a heading inside a section."""
    return f"<h3>{html.escape(text)}</h3>"


def table(
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    total: Sequence[str] | None = None,
    text_columns: Sequence[int] = (0,),
    states: Sequence[str] = (),
    figures: bool = False,
) -> str:
    """Return a table of plain text cells; headers that name a figure lead to its meaning.

    Parameters
    ----------
    total : a last row that stands out
    text_columns : columns aligned to the left; the others hold numbers
    states : words whose cells take the style of that name, such as "done" and "failed"
    figures : the first column names figures, too
    """

    def cell(tag: str, text: str, column: int, named: bool = False) -> str:
        names = ["text"] if column in text_columns else []
        names += [text] if text in states else []
        style = f' class="{" ".join(names)}"' if names else ""
        scope = ' scope="col"' if tag == "th" else ""
        return f"<{tag}{scope}{style}>{linked(text) if named else html.escape(text)}</{tag}>"

    def line(tag: str, row: Sequence[str], style: str = "") -> str:
        names = tag == "th"
        cells = "".join(
            cell(tag, text, column, names or (figures and column == 0))
            for column, text in enumerate(row)
        )
        return f"<tr{style}>{cells}</tr>"

    caption = html.escape(", ".join(header), quote=True)
    body = [line("td", row) for row in rows]
    if total is not None:
        body.append(line("td", total, ' class="total"'))
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="table of {caption}">'
        f"<table><thead>{line('th', header)}</thead>"
        f"<tbody>{''.join(body)}</tbody></table></div>"
    )


def paged_table(
    header: Sequence[str], rows: Sequence[Sequence[str]], *, total: Sequence[str] | None = None
) -> str:
    """Return a table that shows `PAGE` rows at a time, for very many rows.

    The page's script `table.js` turns the pages, sorts by a column and finds rows by the first
    one; where no script runs, the first rows stand there.
    """
    data = json.dumps(rows, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    return (
        f'<div class="paged" data-page="{PAGE}">{table(header, rows[:PAGE], total=total)}'
        f'<script type="application/json">{data}</script></div>'
    )


def tiles(pairs: Sequence[tuple[str, str]]) -> str:
    """Return a row of large figures: (value, what it is)."""
    items = "".join(
        f'<div class="tile"><b>{html.escape(value)}</b><span>{linked(label)}</span></div>'
        for value, label in pairs
    )
    return f'<div class="tiles">{items}</div>'


def grid(figures: Sequence[Figure], columns: int) -> str:
    """Return figures side by side, `columns` in a row, two on a narrow screen."""
    items = "".join(figure.to_html() for figure in figures)
    return f'<div class="grid" style="--columns: {columns}">{items}</div>'


def columns(parts: Sequence[str]) -> str:
    """Return parts next to each other, one below the other on a narrow screen."""
    items = "".join(f"<div>{part}</div>" for part in parts)
    return f'<div class="columns">{items}</div>'


def color_bar(colors: Sequence[str], low: str, high: str) -> str:
    """Return the legend of a heat map: CSS colours from low to high with their labels."""
    gradient = ", ".join(colors)
    return (
        f'<div class="bar"><span>{html.escape(low)}</span>'
        f'<i style="background: linear-gradient(90deg, {gradient})"></i>'
        f"<span>{html.escape(high)}</span></div>"
    )


def details(summary: str, text: str) -> str:
    """Return preformatted text that opens on a click."""
    return (
        f"<details><summary>{html.escape(summary)}</summary>"
        f"<pre>{html.escape(text)}</pre></details>"
    )


def build_page(
    title: str, lead: str, sections: Sequence[Section], *, footer: str = "", scripts: str = ""
) -> str:
    """Return the whole document, without a reference to anything outside of it.

    Parameters
    ----------
    lead : the sentence under the title
    scripts : JavaScript that runs once the page is there
    """
    texts = explanations("".join(part for section in sections for part in section.parts))
    if texts:
        sections = [*sections, Section("What the figures mean", "figures", [texts])]
    links = "".join(
        f'<a href="#{section.anchor}">{html.escape(section.title)}</a>' for section in sections
    )
    body = "".join(
        f'<section id="{section.anchor}"><h2>{html.escape(section.title)}</h2>'
        f"{''.join(section.parts)}</section>"
        for section in sections
    )
    script = f"<script>{scripts}</script>" if scripts else ""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{html.escape(title)}</title><style>{static_text('report.css')}</style></head>"
        f"<body><header><h1>{html.escape(title)}</h1>{paragraph(lead, 'lead')}</header>"
        f'<nav aria-label="sections"><div>{links}</div></nav>'
        f"<main>{body}</main>"
        f"<footer>{html.escape(footer)}</footer>{script}</body></html>\n"
    )


@functools.cache
def static_text(name: str) -> str:
    """Return the text of a file that ships with this room."""
    return (Path(__file__).parent / "static" / name).read_text(encoding="utf-8")
