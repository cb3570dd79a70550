"""Settings of the unwrap; light enough for the command line's help."""

import dataclasses
from collections.abc import Mapping
from typing import Literal, get_args

from geomface.errors import SettingsError
from geomface.ranges import NOT_NEGATIVE, POSITIVE, SHARE, SIDE, require_numbers

WeightScheme = Literal[
    "normalised_length",
    "uniform",
    "shape_preserving",
    "mean_value",
    "chord_length",
    "cotangent",
]
HoleTreatment = Literal["fan", "open"]
GraphChoice = Literal["auto", "quads", "triangles"]

LARGEST_SHARE = 0.95
"""Shares must leave room: together they stay below this part of the square."""


@dataclasses.dataclass(frozen=True)
class UnwrapSettings:
    """How a template is mapped to the unit square.

    Raises
    ------
    SettingsError : a setting outside its range, or two that contradict each other.

    Example
    -------
    >>> import geomface as gf
    >>> settings = gf.UnwrapSettings(shares={"eyes": 0.1})  # a tenth of the square for the eyes
    >>> flat = gf.unwrap(gf.load_builtin_face().template, settings=settings)
    >>> round(flat.report.share["eyes"], 2)
    0.1
    """

    weights: WeightScheme = "normalised_length"
    """Edge weights. normalised_length is length in the uniform map over length on the surface;
    cotangent is for comparison only, since it may flip triangles."""
    holes: HoleTreatment = "fan"
    """fan closes eyes and mouth by a virtual vertex each (dropped again), which keeps them small;
    open leaves them, so that each becomes a convex hole."""
    graph: GraphChoice = "auto"
    """Edges that carry weights: quads leaves the diagonals out, triangles takes all. auto takes
    quads where the template has them."""
    symmetric: bool = True
    """Make the map mirror-symmetric where the template is."""
    stretch_steps: int | None = None
    """Re-weightings by stretch after the first map. None: 1 for normalised_length, 0 otherwise."""
    detail: float = 0.5
    """How far densely meshed parts get more room: 0 gives every square millimetre the same area,
    1 every triangle. Acts in normalised_length and in the re-weightings."""
    importance: Mapping[str, float] = dataclasses.field(default_factory=dict)
    """{region: s}: the region counts as s times longer and wider than it is."""
    shares: Mapping[str, float] = dataclasses.field(default_factory=dict)
    """{region: part of the square that it shall cover}; a+b names the union of two regions."""
    share_tolerance: float = 0.002
    """How far a share may stay from the one asked for, as a part of the square."""
    max_solves: int = 12
    """Most linear solves, the uniform map included."""
    image_size: int = 256
    """Side of the image, in texels, that the report counts pixels for."""

    def __post_init__(self) -> None:
        for field, choices in (
            ("weights", WeightScheme),
            ("holes", HoleTreatment),
            ("graph", GraphChoice),
        ):
            if getattr(self, field) not in get_args(choices):
                raise SettingsError(
                    f"{field}: expected one of {', '.join(get_args(choices))}, "
                    f"got {getattr(self, field)!r}."
                )
        require_numbers(
            self,
            stretch_steps=NOT_NEGATIVE,
            detail=SHARE,
            importance=POSITIVE,
            shares=f"(0, {LARGEST_SHARE})",
            share_tolerance="(0, 1)",
            max_solves="[2, inf)",
            image_size=SIDE,
        )
        if self.weights == "shape_preserving" and self.holes == "open":
            raise SettingsError(
                "weights=shape_preserving needs closed stars around the eyes and the mouth: "
                "expected holes=fan, got holes=open."
            )
        if self.weights == "cotangent" and self.graph == "quads":
            raise SettingsError(
                "weights=cotangent is defined on triangles: expected graph=auto or triangles, "
                "got graph=quads."
            )
        total = sum(self.shares.values())
        if total >= LARGEST_SHARE:
            raise SettingsError(
                f"shares: expected a sum below {LARGEST_SHARE}, since the rest of the face needs "
                f"room too, got {total:g}. Ask for less."
            )

    @property
    def steps(self) -> int:
        """Re-weightings by stretch, the default filled in."""
        if self.stretch_steps is not None:
            return self.stretch_steps
        return 1 if self.weights == "normalised_length" else 0
