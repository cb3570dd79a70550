"""Distributions that draw several numbers at once, held against the face model of a set."""

import dataclasses
from collections.abc import Iterator

from geomface.errors import SettingsError
from geomface.statistics import MorphableModel
from geomface.synthesis.distributions import Distribution, Empirical, Mixture, Vae, gives_rows
from geomface.synthesis.settings import FaceImageSettings

_OF_MODEL = ("identity", "expression")
"""Factors whose numbers mean something on one face model only."""


def require_rows_fit(settings: FaceImageSettings, model: MorphableModel) -> None:
    """Refuse rows and VAEs of another length, of another face model, or where numbers are drawn.

    Raises
    ------
    SettingsError : the message names the setting, what was expected and what came
    FileFormatError : the file of a VAE that is gone, damaged or another one
    """
    factors = {
        ("identity", "coefficients"): ("identity", len(model.shape)),
        ("expression", "weights"): ("expression", len(model.blendshapes)),
        ("light", "coefficients"): ("light", 27),
        ("pose", "joint"): ("pose", 3),
    }
    for group in dataclasses.fields(settings):
        held = getattr(settings, group.name)
        if not dataclasses.is_dataclass(held):
            continue
        for field in dataclasses.fields(held):
            given = getattr(held, field.name)
            factor, size = factors.get((group.name, field.name), ("", 0))
            for part in _parts(given):
                _require(part, f"{group.name} {field.name}", factor, size, model)


def _parts(given: object) -> Iterator[Distribution]:
    """Yield the rows and VAEs of a distribution; of anything else there are none."""
    if isinstance(given, Mixture):
        for part in given.parts:
            yield from _parts(part)
    elif isinstance(given, Empirical | Vae) and gives_rows(given):
        yield given


def _require(given: Distribution, name: str, factor: str, size: int, model: MorphableModel) -> None:
    what = f"vae({given.file})" if isinstance(given, Vae) else "rows"
    if not factor:
        raise SettingsError(
            f"{name}: expected a distribution of single numbers, got {what}, of which several "
            "belong together."
        )
    if isinstance(given, Empirical):
        width = given.width
    elif isinstance(given, Vae):
        from geomface.synthesis.factor_vae.factor_vae import kept_factor_vaes

        vaes = kept_factor_vaes(given.file, given.digest)
        width, topology = vaes.decoder(factor).size, model.mesh.topology_id
        if factor in _OF_MODEL and vaes.topology_id not in (None, topology):
            raise SettingsError(
                f"{name}: {what} was fitted to people of the topology {vaes.topology_id}, "
                f"{model.name} has {topology}. Give the face model that the population is of, or "
                "fit to one of this model."
            )
    if width != size:
        raise SettingsError(
            f"{name}: expected {size} numbers of the {factor} for {model.name}, got {what} of "
            f"{width}. Give those of this face model."
        )
