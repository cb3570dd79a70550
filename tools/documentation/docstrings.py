"""Docstrings of this project as Markdown: what `mkdocstrings` shows of them.

Their sections are those of numpydoc, but a parameter's line is `name : what it is, shape, unit`,
because types stand in the signature, and there are sections of our own (Convention, Source). A
parser of numpydoc takes what it is for the type, so the sections become plain Markdown instead.
"""

import re
import textwrap

import griffe  # pyright: ignore[reportMissingImports]

CODE = ("Example", "Examples")
SECTION = re.compile(r"^(\w[\w ]*)\n-{3,}\n", re.MULTILINE)
ITEM = re.compile(r"^(\S[^:\n]*?) : ", re.MULTILINE)


class PlainDocstrings(griffe.Extension):
    """Rewrite every docstring when griffe has read it."""

    def on_instance(self, *, obj: griffe.Object, **_: object) -> None:
        """Replace the text of a docstring by its Markdown."""
        if obj.docstring is not None and not obj.is_alias:
            obj.docstring.value = markdown_of(obj.docstring.value)


def markdown_of(docstring: str) -> str:
    """Return the Markdown of a docstring whose indentation is already taken off.

    Parameters
    ----------
    docstring : the text, with sections underlined by dashes
    """
    lead, *rest = SECTION.split(docstring)
    parts = [prose(lead)]
    for title, body in zip(rest[::2], rest[1::2], strict=True):
        shown = example(body) if title in CODE else items(body)
        parts.append(f"**{title}**\n\n{shown}")
    return "\n\n".join(parts)


def example(body: str) -> str:
    """Return a doctest as one block of code, what it prints included."""
    return f"```pycon\n{body.strip()}\n```"


def items(body: str) -> str:
    """Return the lines `name : text` of a section as a list, and other text as it stands."""
    entries = re.split(r"\n(?=\S)", body.strip("\n"))
    if not ITEM.match(entries[0]):
        return prose(body)
    shown = []
    for entry in entries:
        name, mark, text = entry.partition(" : ")
        if not mark:
            shown.append(f"- {sentence(entry)}")
            continue
        names = ", ".join(f"`{one.strip()}`" for one in name.split(","))
        shown.append(f"- {names}: {sentence(text)}")
    return "\n".join(shown)


def sentence(text: str) -> str:
    """Return a text of several indented lines in one line."""
    return " ".join(text.split())


def prose(text: str) -> str:
    """Return text whose indented lines are formulas or code, as blocks of code."""
    return textwrap.dedent(text).strip()
