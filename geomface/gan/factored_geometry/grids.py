"""People times expressions: the codes of a grid whose rows are people and columns expressions."""

import dataclasses
from typing import TYPE_CHECKING

import numpy as np

from geomface.errors import SettingsError
from geomface.gan.factored_geometry.codes import Codes, draw_codes

if TYPE_CHECKING:
    from geomface.gan.factored_geometry.model import FactoredModel


MOST = 10_000
"""Faces of a grid: they are held at once."""


@dataclasses.dataclass(frozen=True, eq=False)
class CodeGrid:
    """Codes of a grid, row by row.

    Parameters
    ----------
    codes : rows times columns of them
    factor : what changes from column to column, such as "expression"
    columns : {name: (d,) code of the factor}
    rows : names
    """

    codes: Codes
    factor: str
    columns: dict[str, np.ndarray]
    rows: tuple[str, ...]

    @property
    def names(self) -> list[str]:
        """A name for each face, such as person00_expression03."""
        width = max(2, len(str(max(len(self.rows), len(self.columns)) - 1)))
        return [
            f"{row}_{self.factor}{column:0{width}d}"
            for row in self.rows
            for column in range(len(self.columns))
        ]


def draw_grid(
    model: "FactoredModel",
    people: int,
    expressions: int | None = None,
    *,
    seed: int = 0,
    factor: str | None = None,
) -> CodeGrid:
    """Draw people, each with the same expressions: first those with a name, then random ones.

    A row keeps everything but the factor: person p depends on the seed and p alone.

    Parameters
    ----------
    model : a trained one
    people : rows
    expressions : columns; None takes the classes of the factor, or 7 where it has none
    seed : of people and random expressions
    factor : of the columns, default the last one

    Raises
    ------
    SettingsError : no rows or columns, no such factor
    """
    spec = model.spec
    across = spec.factors[-1].name if factor is None else factor
    classes = spec.factor(across).classes
    count = (len(classes) or 7) if expressions is None else expressions
    if people < 1 or count < 1:
        raise SettingsError(
            f"grid: expected at least one person and one {across}, got {people} and {count}."
        )
    if people * count > MOST:
        raise SettingsError(
            f"grid: expected at most {MOST} faces at once, got {people} people x {count}. Draw "
            "them in parts, with other seeds."
        )
    columns = {name: np.asarray(model.code(across, name)) for name in classes[:count]}
    # Another stream than the people's, so that no column is a person's own expression.
    fresh = draw_codes(spec, max(count - len(columns), 1), seed=seed + 1).part(across)
    for index in range(count - len(columns)):
        columns[f"random {index + 1}"] = fresh[index]
    rows = draw_codes(spec, people, seed=seed)
    codes = Codes(spec, np.repeat(rows.values, count, axis=0))
    codes = codes.replace(**{across: np.tile(np.stack(list(columns.values())), (people, 1))})
    width = max(2, len(str(max(people, count) - 1)))
    names = tuple(f"person{index:0{width}d}" for index in range(people))
    return CodeGrid(codes, across, columns, names)
