"""A row of Table 1 of the paper, and rows as a table."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from geomface.files.records import plain
from geomface.metrics import Estimate


@dataclasses.dataclass(frozen=True, eq=False)
class FactoredEvaluation:
    """A row of Table 1.

    Parameters
    ----------
    name : of the generator
    decoupling : {factor: share of faces with one code of it that are taken for the same}; a factor
        that the generator does not separate is missing
    decoupling_loosest : the same at the largest threshold that is allowed instead of the most
        accurate
    diversity : {"all" or factor: mm between faces that share nothing, or the code of the factor}
    specificity : mm from a sample to the nearest training face
    generalization : mm from held-out faces to their best fit
    roughness : mm, see `TrueFaces.roughness`
    nearest : {factor: {class: share of samples that lie nearest to its mean}}
    right : {factor: share of faces with the fixed code of a class that lie nearest to it}
    settings : what was drawn, thresholds and embeddings
    """

    name: str
    decoupling: Mapping[str, Estimate]
    diversity: Mapping[str, Estimate]
    specificity: Estimate | None = None
    generalization: Estimate | None = None
    roughness: Estimate | None = None
    nearest: Mapping[str, Mapping[str, float]] = dataclasses.field(default_factory=dict)
    right: Mapping[str, Estimate] = dataclasses.field(default_factory=dict)
    decoupling_loosest: Mapping[str, Estimate] = dataclasses.field(default_factory=dict)
    settings: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def figures(self) -> dict[str, float]:
        """Return the figures by their column, without those that are not defined."""
        cells: dict[str, Estimate | None] = {
            **{f"Dec {factor} %": item for factor, item in self.decoupling.items()},
            **{
                f"Dec {factor} % at FAR {100 * item.settings['false_acceptance']:.0f} %": item
                for factor, item in self.decoupling_loosest.items()
            },
            "Sp": self.specificity,
            "Gen": self.generalization,
            **{f"Div {factor}": item for factor, item in self.diversity.items()},
            "rough": self.roughness,
            **{f"{factor} right %": item for factor, item in self.right.items()},
        }
        return {
            column: item.value * (100.0 if "%" in column else 1.0)
            for column, item in cells.items()
            if item is not None
        }

    def record(self) -> dict[str, Any]:
        """Return everything as plain values, for JSON."""
        fields = (field.name for field in dataclasses.fields(self))
        return {field: plain(getattr(self, field)) for field in fields}


def table_lines(rows: Sequence[FactoredEvaluation]) -> list[str]:
    """Return the lines of a Markdown table, a column for each figure that any row has.

    Rows of one name, such as seeds of one arm, become their mean +- deviation.
    """
    found: dict[str, list[dict[str, float]]] = {}
    for row in rows:
        found.setdefault(row.name, []).append(row.figures())
    fullest = sorted((one for many in found.values() for one in many), key=len, reverse=True)
    columns = list(dict.fromkeys(column for one in fullest for column in one))
    lines = ["| " + " | ".join(["", *columns]) + " |", "|---" * (len(columns) + 1) + "|"]
    for name, many in found.items():
        cells = [_cell([one[column] for one in many if column in one]) for column in columns]
        lines.append("| " + " | ".join([name, *cells]) + " |")
    return lines


def _cell(values: list[float]) -> str:
    if not values:
        return "-"
    mean = f"{np.mean(values):.3g}"
    return mean if len(values) == 1 else f"{mean} +- {np.std(values, ddof=1):.2g}"
