"""What a command leaves of a fit that is no likely face: a picture, and the record."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geomface.cli.run import Run
from geomface.errors import FailedRegistrationError

if TYPE_CHECKING:
    from geomface.mesh import Mesh


@contextlib.contextmanager
def recorded_failure(
    run: Run,
    scan: "Mesh",
    out: Path,
    report: Path | None,
    figures: Callable[[Any], Mapping[str, Any]],
) -> Iterator[None]:
    """Where a fit fails, write its picture and its record before the error goes on.

    Parameters
    ----------
    out : where the mesh was asked for; the picture lies beside the report, else beside this
    report : where the record goes, with the figures and `error`, the sentence
    figures : of a result, for the record
    """
    try:
        yield
    except FailedRegistrationError as failure:
        from geomface.files import save_image
        from geomface.rendering.overlay import fit_overlay

        result = failure.result
        run.add_notes(result.notes)
        beside = report or out
        picture = beside.with_name(f"{beside.stem}.failed.png")
        save_image(picture, fit_overlay(scan, result))
        error = FailedRegistrationError(f"{failure} The picture {picture} shows it.", result)
        run.finish({**figures(result), "error": str(error)}, report)
        raise error from failure
