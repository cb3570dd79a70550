"""Where the faces of a training come from, so that they can be had again without being told."""

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from geomface.datasets.labelled_faces import LabelledFaces
from geomface.datasets.labelled_folder import load_labelled_faces
from geomface.errors import FileFormatError, SettingsError
from geomface.model_files import load_model
from geomface.statistics import MorphableModel
from geomface.synthesis.labelled_faces import LabelledFacesSettings, draw_labelled_faces

BUILTIN = "builtin"
FACTORS = ("identity", "expression")
CORE = "narrow_face"
"""The region of models of whole heads that faces are drawn on where nothing else is said."""
WHOLE = "all"


@dataclasses.dataclass(frozen=True)
class FaceSource:
    """Faces drawn from a face model, or a folder of registered meshes with their labels.

    Parameters
    ----------
    place : "builtin", the file of a face model, or a folder
    drawn : how faces are drawn from the model; None for a folder
    labels : label table of a folder, None for its own
    factors : that the faces are labelled with
    """

    place: str = BUILTIN
    drawn: LabelledFacesSettings | None = None
    labels: str | None = None
    factors: tuple[str, ...] = FACTORS

    def read(self, on_progress: Callable[[int, int], None] | None = None) -> LabelledFaces:
        """Draw the faces, or read them; the same ones each time."""
        if self.drawn is None:
            return load_labelled_faces(
                self.place, self.labels, factors=self.factors, on_progress=on_progress
            )
        return draw_labelled_faces(_model(self.place), self.drawn)

    def world(self) -> MorphableModel | None:
        """Return the model that the faces are drawn from, cut to their region; None of a folder."""
        if self.drawn is None:
            return None
        model = _model(self.place)
        if self.drawn.region is None:
            return model
        return model.marginal(np.sort(model.template.regions[self.drawn.region]))

    def record(self) -> dict[str, Any]:
        """Return plain values that `recorded_source` reads."""
        drawn = None if self.drawn is None else dataclasses.asdict(self.drawn)
        return {
            "place": self.place,
            "drawn": drawn,
            "labels": self.labels,
            "factors": list(self.factors),
        }

    @property
    def inputs(self) -> dict[str, Any]:
        """What makes a run, wherever the files lie; the faces themselves are compared by hash."""
        if self.drawn is None:
            return {"source": "folder"}
        name = self.place if self.place == BUILTIN else Path(self.place).name
        return {"source": name, **dataclasses.asdict(self.drawn)}


def find_source(
    place: str = BUILTIN,
    *,
    drawn: LabelledFacesSettings | None = None,
    labels: Path | str | None = None,
    factors: tuple[str, ...] = FACTORS,
) -> FaceSource:
    """Return where faces come from, after a look whether they are there.

    Parameters
    ----------
    place : "builtin", the file of a face model, or a folder
    drawn : how faces are drawn from a model; region None takes "narrow_face" if the model has it,
        "all" all vertices. Of no use with a folder
    labels : label table of a folder
    factors : that are trained

    Raises
    ------
    FileFormatError : nothing there, or no face model
    SettingsError : options of drawn faces with a folder, or the reverse; a region that the model
        has not; factors that drawn faces have not
    """
    if place != BUILTIN and not Path(place).exists():
        raise FileFormatError(
            f"{place}: no such file or folder. Expected {BUILTIN!r}, a face model, or a folder of "
            "registered meshes."
        )
    if place != BUILTIN and Path(place).is_dir():
        if drawn is not None:
            raise SettingsError(
                f"{place}: a folder of registered meshes, whose faces are not drawn. Leave out "
                "what says how to draw them."
            )
        table = None if labels is None else str(Path(labels).resolve())
        return FaceSource(str(Path(place).resolve()), None, table, factors)
    if labels is not None:
        raise SettingsError(
            f"{labels}: faces that are drawn know their labels. Give a folder of registered "
            "meshes, or leave the label table out."
        )
    if set(factors) - set(FACTORS):
        raise SettingsError(
            f"factors: faces that are drawn have {' and '.join(FACTORS)}, got "
            f"{', '.join(factors)}. Give a folder of registered meshes with a label table."
        )
    model, drawn = _model(place), drawn or LabelledFacesSettings()
    region = drawn.region
    if region is None and place != BUILTIN and CORE in model.template.regions:
        region = CORE
    elif region == WHOLE:
        region = None
    if region is not None and region not in model.template.regions:
        known = ", ".join((WHOLE, *model.template.regions))
        raise SettingsError(f"region: expected one of {known}, got {region!r}.")
    place = place if place == BUILTIN else str(Path(place).resolve())
    return FaceSource(place, dataclasses.replace(drawn, region=region), None, factors)


def recorded_source(record: Mapping[str, Any] | None) -> FaceSource | None:
    """Return the source that a checkpoint's config tells of; None if it tells of none."""
    if not record:
        return None
    drawn = record["drawn"]
    if drawn is not None:
        drawn = LabelledFacesSettings(**{**drawn, "strength": tuple(drawn["strength"])})
    return FaceSource(record["place"], drawn, record["labels"], tuple(record["factors"]))


def _model(place: str) -> MorphableModel:
    return load_model(None if place == BUILTIN else place)
