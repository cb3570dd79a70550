"""Options that say which faces a factored geometry GAN is trained on, or measured with."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from geomface.cli.options import require_options
from geomface.ranges import COUNT, SEED, SHARE

if TYPE_CHECKING:
    from geomface.gan.factored_geometry.sources import FaceSource
    from geomface.synthesis.labelled_faces import LabelledFacesSettings


def _default(what: str, metavar: str) -> Any:
    return tyro.conf.arg(metavar=metavar, help_behavior_hint=f"(default: {what})")


@dataclasses.dataclass(frozen=True)
class DrawnOptions:
    """How faces are drawn from a face model; of no use with a folder."""

    people: Annotated[int | None, _default("150", "INT")] = None
    """People drawn."""
    faces: Annotated[int | None, _default("40", "INT")] = None
    """Faces of each of them, with one of seven expressions."""
    labelled: Annotated[float | None, _default("0.07", "SHARE")] = None
    """Share of the faces whose expression is told, 0 to 1; the person always is."""
    mixtures: Annotated[float | None, _default("0", "SHARE")] = None
    """Share of the faces that mix two or three expressions and are never told, 0 to 1."""
    region: Annotated[str | None, _default("as below", "NAME")] = None
    """Region of the model that the faces have, or all: by default all of the built-in face, and
    narrow_face of other models that have it."""
    data_seed: Annotated[int | None, _default("0", "INT")] = None
    """Seed of the faces that are drawn; --seed is that of all else."""

    def __post_init__(self) -> None:
        require_options(
            self, people=COUNT, faces=COUNT, labelled=SHARE, mixtures=SHARE, data_seed=SEED
        )

    def settings(
        self, base: "LabelledFacesSettings | None" = None
    ) -> "LabelledFacesSettings | None":
        """Return settings with what is given here; None where nothing is given and there is none.

        Raises
        ------
        SettingsError : numbers out of range
        """
        from geomface.synthesis.labelled_faces import LabelledFacesSettings

        values = {
            field.name: getattr(self, field.name)
            for field in dataclasses.fields(self)
            if getattr(self, field.name) is not None
        }
        if "data_seed" in values:
            values["seed"] = values.pop("data_seed")
        if not values:
            return base
        return dataclasses.replace(base or LabelledFacesSettings(), **values)


def read_source(
    place: str, labels: Path | None, drawn: DrawnOptions, factors: tuple[str, ...]
) -> "FaceSource":
    """Return where the faces come from, after a look whether they are there."""
    from geomface.gan.factored_geometry.sources import find_source

    return find_source(place, drawn=drawn.settings(), labels=labels, factors=factors)
