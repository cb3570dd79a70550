"""Who somebody is to the eye: age, sex, complexion, hair, beard, read from the albedo code."""

import dataclasses
import math

import numpy as np

from geomface.arrays import FloatArray
from geomface.faces.albedo_code import code_values

YOUNGEST, OLDEST = 18.0, 80.0
LONGEST_BEARD = 40.0
_HAIR = np.array(
    [(0.66, 0.53, 0.35), (0.47, 0.33, 0.20), (0.27, 0.18, 0.12), (0.13, 0.09, 0.07), (0.05,) * 3]
)
# sRGB by melanin, blond to black.
_RED_HAIR = np.array([0.50, 0.22, 0.09])
_GREY_HAIR = np.array([0.66, 0.65, 0.63])


@dataclasses.dataclass(frozen=True)
class Traits:
    """What the looks of a person follow from. Shares lie in [0, 1].

    Parameters
    ----------
    age : years, 18 to 80
    masculinity : 0 a woman, 1 a man, few between
    weight : standard deviations from the average, in the shape as well
    melanin : of the skin, 0 very fair
    hair_melanin : 0 blond, 1 black
    hair_red, grey : shares of red and of grey in the hair
    baldness : 0 full hair, above 0.5 a bald crown, 1 none on top
    curl : 0 straight, 1 tight curls
    moustache, chin_beard, jaw_beard : how densely a beard covers these, 0 shaven
    beard_length : mm of the hairs where a beard grows
    makeup : how much is worn
    """

    age: float
    masculinity: float
    weight: float
    melanin: float
    hair_melanin: float
    hair_red: float
    grey: float
    baldness: float
    curl: float
    moustache: float
    chin_beard: float
    jaw_beard: float
    beard_length: float
    makeup: float

    @property
    def hair_color(self) -> tuple[float, float, float]:
        """sRGB of the hair of the head."""
        return self._hair(self.grey)

    @property
    def brow_color(self) -> tuple[float, float, float]:
        """sRGB of the brows, which turn grey later and less."""
        return self._hair(0.6 * max(self.grey - 0.35, 0.0))

    @property
    def beard_style(self) -> str:
        """One of none, stubble, moustache, goatee, full."""
        most = max(self.moustache, self.chin_beard, self.jaw_beard)
        if most < 0.25:
            return "none"
        if self.beard_length < 2.0:
            return "stubble"
        if self.jaw_beard > 0.4:
            return "full"
        return "goatee" if self.chin_beard > 0.3 else "moustache"

    def _hair(self, grey: float) -> tuple[float, float, float]:
        steps = np.linspace(0, 1, len(_HAIR))
        color = np.array([np.interp(self.hair_melanin, steps, channel) for channel in _HAIR.T])
        color += self.hair_red * (_RED_HAIR - color)
        color += grey * (_GREY_HAIR - color)
        return (float(color[0]), float(color[1]), float(color[2]))


def traits_of(code: FloatArray) -> Traits:
    """Return the traits that an albedo code stands for.

    Parameters
    ----------
    code : (n,) numbers, N(0, 1) over people, n <= ALBEDO_SIZE; missing ones are 0

    Raises
    ------
    SettingsError : a code that is no row, too long, or holds NaN or infinity.

    Example
    -------
    >>> import numpy as np
    >>> from geomface.faces.traits import traits_of
    >>> traits_of(np.zeros(0)).masculinity
    0.5
    """
    c = code_values(code)
    # Most complexions lie near the middle, the darkest far from it.
    light = share(0.2 * c["tone"] - 0.17 * min(c["tone"], 0.0) ** 2 + 0.64)
    # Two humps: most are clearly a man or a woman.
    man = share(4.0 * c["masculinity"])
    rank = 0.5 * (1.0 + math.erf(c["age"] / math.sqrt(2.0)))
    age = YOUNGEST + (OLDEST - YOUNGEST) * rank**1.3
    gate = min(max(2.2 * (man - 0.5), 0.0), 1.0)
    grown = {
        name: gate * share(2.4 * (c["beard"] + c[name] - late))
        for name, late in (("moustache", 0.1), ("chinBeard", 0.1), ("jawBeard", 0.35))
    }
    length = 1.6 * math.exp(min(1.0 * c["beardLength"] + 0.8 * c["beard"], 6.0))
    return Traits(
        age=age,
        masculinity=man,
        weight=c["weight"],
        melanin=1.0 - light,
        # Fair hair is common under fair skin, and hardly found under dark skin.
        hair_melanin=1.0 - share(9.0 * (light - 0.57)) * share(2.2 * c["hairTone"] - 0.3),
        hair_red=light * share(3.0 * (c["hairRed"] - 1.7)),
        grey=share((age - 56.0 + 9.0 * c["hairGrey"]) / 5.0),
        baldness=man * share((age - 60.0 + 20.0 * c["baldness"]) / 8.0),
        curl=share(1.6 * c["hairCurl"] - 0.8 + 8.0 * max(0.45 - light, 0.0)),
        moustache=grown["moustache"],
        chin_beard=grown["chinBeard"],
        jaw_beard=grown["jawBeard"],
        beard_length=min(length, LONGEST_BEARD),
        makeup=(1.0 - man) * share(1.8 * c["makeup"]),
    )


def share(value: float) -> float:
    """Return a share between 0 and 1 (logistic)."""
    return 1.0 / (1.0 + math.exp(-min(max(value, -60.0), 60.0)))
