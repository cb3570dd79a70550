"""People: coefficients drawn, mixed from two, or at a chosen similarity to one."""

import dataclasses

import numpy as np

from geomface.arrays import FloatArray
from geomface.errors import SettingsError
from geomface.faces.albedo_code import TOLD, sample_albedo_code
from geomface.faces.traits import Traits, traits_of
from geomface.synthesis.distributions import gives_rows
from geomface.synthesis.drawing import draw, draw_one
from geomface.synthesis.face_relief import RELIEF_SIZE
from geomface.synthesis.settings import IdentitySettings
from geomface.synthesis.streams import stream
from geomface.synthesis.trait_axes import TraitAxes


@dataclasses.dataclass(frozen=True, eq=False)
class Person:
    """One identity.

    Parameters
    ----------
    index : number of the person
    coefficients : (K,) float64, sigma
    albedo : (ALBEDO_SIZE,) float64, code of skin and hair
    parents : the two people a mix is made of, empty for the others
    parent_weights : their weights, which are also soft labels
    known_as_one : a mix whose label is the person alone, to test with
    relief : (RELIEF_SIZE,) float64, code of the relief that no mode has, see `ReliefModel`;
        (0,) has none
    """

    index: int
    coefficients: FloatArray
    albedo: FloatArray
    parents: tuple[int, ...] = ()
    parent_weights: tuple[float, ...] = ()
    known_as_one: bool = False
    relief: FloatArray = dataclasses.field(default_factory=lambda: np.zeros(0))

    @property
    def traits(self) -> Traits:
        """Age, sex, hair and the like, for whatever is drawn besides the skin."""
        return traits_of(self.albedo)


def draw_person(
    settings: IdentitySettings, modes: int, seed: int, index: int, axes: TraitAxes | None = None
) -> Person:
    """Return person `index` of a set; it does not depend on the others of the set.

    Parameters
    ----------
    settings : how people are drawn
    modes : number K of identity modes
    seed : of the set
    axes : where the model has sex, age and the like, see `trait_axes`; None: the skin follows from
        the first modes, and no direction is spread

    Source
    ------
    Qiu et al. 2021, SynFace: identity mixup is a weighted mean of two people's coefficients.
    """
    if settings.mix_share > 0 and is_mixed(settings, seed, index):
        return _mixed(settings, modes, seed, index, axes)
    person = _drawn(settings, modes, seed, index, axes)
    related = settings.cosine is not None or settings.distance is not None
    if not related or index == settings.base:
        return person
    base = _drawn(settings, modes, seed, settings.base, axes)
    rng = stream(seed, "similarity", index)
    if settings.cosine is not None:
        cosine = float(np.clip(draw_one(settings.cosine, rng), -1, 1))
        coefficients = identity_at_cosine(base.coefficients, cosine, rng)
    else:
        distance = draw_one(settings.distance, rng) if settings.distance is not None else 0.0
        coefficients = identity_at_distance(base.coefficients, max(distance, 0.0), rng)
    return _whole(coefficients, settings, seed, index, axes)


def identity_at_cosine(base: FloatArray, cosine: float, rng: np.random.Generator) -> FloatArray:
    """Return coefficients (K,) of the base's length at this cosine to it, else random.

    Raises
    ------
    SettingsError : a base of length 0, which has no direction, or a cosine beyond [-1, 1].
    """
    length = float(np.linalg.norm(base))
    if not length > 0 or not -1 <= cosine <= 1:
        raise SettingsError(
            f"similarity: expected a base that is not the mean face and a cosine of -1 to 1, got "
            f"length {length:g} and cosine {cosine:g}."
        )
    ahead = base / length
    aside = rng.standard_normal(len(base))
    aside -= (aside @ ahead) * ahead
    size = float(np.linalg.norm(aside))
    if not size > 0:
        if abs(cosine) < 1:
            raise SettingsError("similarity: one identity mode allows the cosines -1 and 1 only.")
        return cosine * base
    return length * (cosine * ahead + np.sqrt(1.0 - cosine**2) * aside / size)


def identity_at_distance(base: FloatArray, distance: float, rng: np.random.Generator) -> FloatArray:
    """Return coefficients (K,) at this distance (sigma, Mahalanobis) from the base."""
    direction = rng.standard_normal(len(base))
    return base + distance * direction / max(float(np.linalg.norm(direction)), 1e-300)


def mix_identities(first: Person, second: Person, weight: float, index: int) -> Person:
    """Return the mix weight * first + (1 - weight) * second of shape and skin."""
    other = 1.0 - weight
    return Person(
        index,
        weight * first.coefficients + other * second.coefficients,
        weight * first.albedo + other * second.albedo,
        (first.index, second.index),
        (weight, other),
        relief=weight * first.relief + other * second.relief,
    )


def is_mixed(settings: IdentitySettings, seed: int, index: int) -> bool:
    """Say whether a person is a mix of two earlier ones; the first two never are."""
    return index >= 2 and stream(seed, "mix", index).random() < settings.mix_share


def _mixed(
    settings: IdentitySettings, modes: int, seed: int, index: int, axes: TraitAxes | None
) -> Person:
    rng = stream(seed, "parents", index)
    parents: list[int] = []
    # Persons 0 and 1 are never mixes, so this ends; a share below 0.9 makes it end soon.
    while len(parents) < 2:
        candidate = int(rng.integers(index))
        if candidate not in parents and not is_mixed(settings, seed, candidate):
            parents.append(candidate)
    weight = float(np.clip(draw_one(settings.mix_weight, rng), 0, 1))
    first, second = (_drawn(settings, modes, seed, parent, axes) for parent in parents)
    return mix_identities(first, second, weight, index)


def _drawn(
    settings: IdentitySettings, modes: int, seed: int, index: int, axes: TraitAxes | None
) -> Person:
    coefficients = draw(settings.coefficients, stream(seed, "identity", index), modes, "identity")
    if axes is not None:
        coefficients = axes.spread(coefficients, _spread_of(settings))
    return _whole(coefficients, settings, seed, index, axes)


def _whole(
    coefficients: FloatArray,
    settings: IdentitySettings,
    seed: int,
    index: int,
    axes: TraitAxes | None,
) -> Person:
    """Return the person of some coefficients, with skin and relief of its own."""
    albedo = _albedo(coefficients, settings, seed, index, axes)
    relief = np.zeros(0)
    if settings.relief > 0:
        drawn = stream(seed, "relief", index).standard_normal(RELIEF_SIZE)
        relief = settings.relief * drawn
    return Person(index, coefficients, albedo, relief=relief)


def _spread_of(settings: IdentitySettings) -> float:
    """Return the factor along the traits: whole people are taken as they are given."""
    return 1.0 if gives_rows(settings.coefficients) else settings.trait_spread


def _albedo(
    coefficients: FloatArray,
    settings: IdentitySettings,
    seed: int,
    index: int,
    axes: TraitAxes | None,
) -> FloatArray:
    rng = stream(seed, "albedo", index)
    told = coefficients if axes is None else axes.tell(coefficients, _spread_of(settings))
    missing = max(len(TOLD) - len(told), 0)
    # A model of few modes tells little about the skin: chance fills in.
    return sample_albedo_code(np.concatenate([told, rng.standard_normal(missing)]), rng)
