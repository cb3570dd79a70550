"""Who is in named pictures: by a table of labels, or by their folders."""

from collections.abc import Sequence
from pathlib import Path

from geomface.datasets.label_table import load_label_table
from geomface.learning.errors import DatasetError


def people_of(names: Sequence[str], table: Path | str | None = None) -> dict[str, str]:
    """Return {picture: person}, "" where that is not known.

    Parameters
    ----------
    names : of pictures
    table : CSV or JSON lines with `file` and `identity`; None: people are the first folders, as in
        `load_photographs`

    Raises
    ------
    FileFormatError : a table that cannot be read
    DatasetError : it names none of the pictures
    """
    if table is None:
        return {name: name.split("/")[0] if "/" in name else "" for name in names}
    rows = load_label_table(table, ("identity",))
    found = {name: rows[name]["identity"] if name in rows else "" for name in names}
    if not any(found.values()):
        raise DatasetError(
            f"{table}: expected a person for pictures such as {names[0]}; of {len(rows)} rows, "
            f"such as {next(iter(rows))}, none has one. Name pictures as they are called in the "
            "embeddings."
        )
    return found
