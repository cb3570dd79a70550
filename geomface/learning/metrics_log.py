"""Metrics of training: averaged between two logging steps, one JSON line each."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from geomface.errors import OutputError
from geomface.files.atomic import write_bytes
from geomface.files.reading import read_bytes

Metrics = Mapping[str, torch.Tensor | float]


class MetricsLog:
    """Averages metrics and appends them to a JSON-lines file.

    The window that is open when a checkpoint is saved goes into the checkpoint (`pending`), so a
    resumed run writes the same lines as one that was never stopped.

    Parameters
    ----------
    path : the file; None writes nothing
    step : steps done; lines of later steps, left by a killed process, are cut off
    pending : window to go on with, from `pending`
    """

    def __init__(
        self, path: Path | None, step: int = 0, pending: Mapping[str, Any] | None = None
    ) -> None:
        self.path = path
        # Checkpoints keep names by the alphabet, and those of older versions tell no places.
        window = sorted((pending or {}).items(), key=lambda item: item[1][2:])
        self._sums: dict[str, tuple[torch.Tensor, int]] = {
            name: (torch.tensor(total, dtype=torch.float64), count)
            for name, (total, count, *_) in window
        }
        if path is not None:
            cut_after(path, step)

    def add(self, metrics: Metrics) -> None:
        """Take in the metrics of one step; nothing waits for the device."""
        for name, value in metrics.items():
            number = torch.as_tensor(value).detach().double()
            total, count = self._sums.get(name, (None, 0))
            self._sums[name] = (number if total is None else total + number, count + 1)

    def pending(self) -> dict[str, list[float]]:
        """Return the open window: {name: [sum, count, place in the line]}."""
        return {
            name: [float(total), count, place]
            for place, (name, (total, count)) in enumerate(self._sums.items())
        }

    def not_finite(self) -> list[str]:
        """Return the names of what is NaN or infinite in the open window."""
        return [name for name, (total, _) in self._sums.items() if not math.isfinite(float(total))]

    def flush(self, step: int, **further: float) -> dict[str, float]:
        """Close the window: append its means to the file and return them.

        Raises
        ------
        OutputError : the file cannot be written
        """
        means = {name: float(total) / count for name, (total, count) in self._sums.items()}
        self._sums.clear()
        record = {"step": step} | means | further
        if self.path is not None:
            append_record(self.path, record)
        return record


def append_record(path: Path, record: Mapping[str, Any]) -> None:
    """Append a record to a JSON-lines file.

    Raises
    ------
    OutputError : the file cannot be written
    """
    try:
        with open(path, "a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")
    except OSError as error:
        raise OutputError(
            f"{path}: cannot be written ({error.strerror}). Free space there and resume."
        ) from error


def read_metrics(path: Path | str) -> list[dict[str, Any]]:
    """Return the records of a metrics file; a line cut by a kill is left out."""
    file = Path(path)
    if not file.is_file() or not file.stat().st_size:
        return []
    return [record for line in read_bytes(file, "metrics").splitlines() if (record := _row(line))]


def _row(line: bytes) -> dict[str, Any]:
    """Return the record of a line, empty for one that is damaged."""
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    whole = isinstance(record, dict) and type(record.get("step")) is int
    whole = whole and all(isinstance(value, int | float) for value in record.values())
    return record if whole else {}


def format_metrics(record: Mapping[str, Any]) -> str:
    """Return a record as one console line, under the names of the file."""
    return "  ".join(
        f"{name} {value:d}" if isinstance(value, int) else f"{name} {value:.4g}"
        for name, value in record.items()
    )


def cut_after(path: Path, step: int) -> None:
    """Drop the records of later steps, which a killed process left."""
    if not path.is_file():
        return
    kept = [record for record in read_metrics(path) if record.get("step", 0) <= step]
    text = "".join(json.dumps(record) + "\n" for record in kept)
    write_bytes(path, text.encode())
