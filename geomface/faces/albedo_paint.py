"""The amounts of everything that colours a skin, from a code: what the kernel mixes."""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from geomface.faces.color import srgb_to_lab
from geomface.faces.traits import Traits, share

Lab = tuple[float, float, float]


class Paint(NamedTuple):
    """Amounts and Lab colours of one person; of each field see `SkinFields`.

    `base` is bare skin; `cheek` to `under_eye` are how strong fields are; `phase` turns the lines
    of the forehead; `nostril` is a size, `crease_height` mm over the lid; `shadow`, `reach`,
    `density` and the three zones are the beard's; `lip` colours are factors and sums of the skin's
    Lab; `scalp` names are the hair line.
    """

    base: Lab
    pores: float
    cheek: float
    nose: float
    flush: float
    freckle: float
    nasolabial: float
    marionette: float
    crows_feet: float
    frown_lines: float
    under_eye: float
    forehead: float
    phase_cos: float
    phase_sin: float
    bag: float
    socket: float
    nostril: float
    wing: float
    crease: float
    crease_height: float
    shadow: float
    moustache: float
    chin: float
    jaw: float
    reach: float
    density: float
    beard_color: Lab
    upper_lip: float
    lower_lip: float
    lip_edge: float
    lip_sum: Lab
    stick: float
    stick_color: Lab
    lid: float
    lid_color: Lab
    rouge: float
    lash: float
    brow_color: Lab
    hair_color: Lab
    scalp_line: float
    scalp_temple: float
    scalp_side: float
    scalp_end: float


def paint_of(c: Mapping[str, float], traits: Traits) -> Paint:
    """Return the amounts for the named numbers of a code and the traits they stand for."""
    return Paint(**_skin(c, traits), **_folds(c, traits), **_beard(c, traits), **_lips(c, traits))


def _skin(c: Mapping[str, float], traits: Traits) -> dict[str, Any]:
    """Melanin, blood, carotene, and where they gather; make-up."""
    light, man = 1.0 - traits.melanin, 2 * traits.masculinity - 1
    aged, worn = (traits.age - 43.0) / 35.0, traits.makeup
    # From deep brown to fair, the path that human skin takes through Lab.
    lab = [
        float(np.interp(light, [0, 0.35, 0.7, 1], levels))
        for levels in ([27, 45, 66, 80], [9.5, 13, 12, 9.5], [12, 18, 16.5, 13])
    ]
    for amount, change in (
        (c["warmth"], (0.3, -0.9, 2.7)),
        (c["ruddiness"], (-1.4, 1.9, 0.2)),
        (man, (-0.7, 0.5, 0.2)),
        (aged, (-1.0, 0.3, 1.2)),
    ):
        lab = [value + amount * by for value, by in zip(lab, change, strict=True)]
    hue = c["eyeShadowHue"]
    return {
        "base": (lab[0], lab[1], lab[2]),
        "pores": 1.1,
        "cheek": 3.4 * min(_positive(c["cheekRedness"], 0.7), 2.4),
        "nose": 3.2 * _positive(c["noseRedness"] + 0.5 * aged, 0.7),
        "flush": 1.2 * c["ruddiness"],
        "freckle": _positive(c["freckles"] + 0.8 * traits.hair_red - 0.6, 0.5),
        "lid": 0.7 * worn * share(2.0 * (c["eyeShadow"] - 0.2)),
        "lid_color": (30.0 + 6.0 * c["eyeShadow"], 8.0 + 4.0 * hue, 4.0 - 9.0 * hue),
        "rouge": 5.0 * worn * share(2.0 * c["rouge"]),
        "lash": min(max(0.62 + 0.15 * c["lashes"] + 0.3 * worn, 0.25), 0.97),
    }


def _folds(c: Mapping[str, float], traits: Traits) -> dict[str, Any]:
    """Folds, wrinkles and bags come with age."""
    old = min(max((traits.age - 25.0) / 45.0, 0.0), 1.25)

    def amount(name: str, young: float, late: float) -> float:
        return max(young + late * old, 0.02) * math.exp(min(0.5 * c[name], 1.5))

    phase = math.pi * c["foreheadPhase"]
    height = 4.2 + 1.6 * c["lidCreaseHeight"] - 1.2 * (traits.masculinity - 0.5) - 1.4 * old
    return {
        "nasolabial": amount("nasolabial", 0.2, 0.8),
        "marionette": amount("marionette", 0.0, 0.75),
        "crows_feet": amount("crowsFeet", -0.1, 0.75),
        "frown_lines": amount("frownLines", 0.0, 0.6),
        "under_eye": amount("eyeBags", 0.12, 0.85),
        "forehead": amount("foreheadLines", -0.2, 1.1),
        "phase_cos": math.cos(phase),
        "phase_sin": math.sin(phase),
        "bag": 3.0 * amount("eyeBags", 0.0, 0.7),
        "socket": min(_positive(c["socketDarkness"] + 0.5 * old, 0.7), 2.4),
        "nostril": math.exp(0.22 * min(max(c["nostrilSize"], -3.0), 3.0)),
        "wing": min(0.5 * math.exp(0.6 * c["noseWing"]), 1.4),
        # Lids sink with age; on women more of them shows. One in six people has no crease.
        "crease": 0.9 * share(2.0 * (c["lidCrease"] + 0.9)),
        "crease_height": min(max(height, 1.2), 8.0),
    }


def _beard(c: Mapping[str, float], traits: Traits) -> dict[str, Any]:
    """The shadow of a shaven beard, a grown one, and the hair line."""
    hair = srgb_to_lab(np.array(traits.hair_color))
    brow = 0.8 * srgb_to_lab(np.array(traits.brow_color))
    dark = traits.hair_melanin * (1.0 - 0.6 * traits.grey)
    man = max(2.0 * traits.masculinity - 1.0, 0.0)
    line = 64.0 + min(max(7.0 * c["hairLine"], -14.0), 14.0) + 60.0 * traits.baldness**1.5
    burn = traits.masculinity * min(max(16.0 + 18.0 * c["sideburns"], 0.0), 60.0)
    return {
        "shadow": man * dark * (0.13 + 0.10 * math.tanh(c["beardLength"])),
        "moustache": traits.moustache,
        "chin": traits.chin_beard,
        "jaw": traits.jaw_beard,
        "reach": min(max(0.52 - 0.12 * c["jawBeard"], 0.2), 0.8),
        "density": float(np.interp(traits.beard_length, [0, 1.5, 6, 20], [0.3, 0.5, 0.86, 0.94])),
        "beard_color": (float(hair[0]) + 2.0, float(hair[1]) + 1.5, float(hair[2]) + 1.0),
        "brow_color": (float(brow[0]), float(brow[1]), float(brow[2])),
        "hair_color": (float(hair[0]), float(hair[1]), float(hair[2])),
        "scalp_line": line,
        "scalp_temple": 9.0 * traits.masculinity,
        "scalp_side": 1.2 - 0.07 * c["hairLine"],
        "scalp_end": 16.0 - burn,
    }


def _lips(c: Mapping[str, float], traits: Traits) -> dict[str, Any]:
    """Lips grow thinner with age; women's are fuller and redder."""
    old, woman = (traits.age - 43.0) / 35.0, 0.5 - traits.masculinity
    grown = 0.1 - 0.6 * old + 0.5 * woman
    red, pale, hue = c["lipRedness"], c["lipLightness"], c["lipstickHue"]
    return {
        "upper_lip": min(max(grown + 0.75 * c["upperLip"], -2.2), 2.2),
        "lower_lip": min(max(grown + 0.75 * c["lowerLip"], -2.2), 2.2),
        "lip_edge": 1.6 * math.exp(0.3 * c["lipEdge"]),
        "lip_sum": (
            -1.5 - 2.4 * red + 4.2 * pale + woman,
            7.5 + 4.0 * red - 1.5 * pale + 4.0 * woman,
            0.6 * red + 0.2 * pale,
        ),
        "stick": 0.85 * traits.makeup * share(2.6 * (c["lipstick"] - 0.5)),
        "stick_color": (40.0 + 5.0 * hue, 38.0 + 4.0 * hue, 12.0 + 4.0 * c["rouge"]),
    }


def _positive(value: float, scale: float) -> float:
    """Return a smooth amount that is never negative: softplus, 1 near value 0.3 / scale."""
    return float(np.logaddexp(0.0, value / scale) * scale / 0.7)


def spot_thresholds(c: Mapping[str, float], traits: Traits) -> dict[str, tuple[float, float]]:
    """Return threshold and width of each kind of spots, see `Spots.cover`."""
    old = (traits.age - 62.0) / 12.0
    return {
        "freckle": (-0.6, 1.2),
        "mole": (1.9 - 0.45 * c["moles"], 0.25),
        "age": (2.3 - 0.4 * c["ageSpots"] - 0.6 * old, 0.7),
        "birth": (2.6, 0.4),
    }
