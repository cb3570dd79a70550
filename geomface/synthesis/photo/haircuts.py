"""How people wear their hair: cuts, hair lines and colours, by sex and age."""

import dataclasses

import numpy as np

from geomface.arrays import FloatArray

Range = tuple[float, float]

_COLORS = np.array(
    [
        [0.055, 0.045, 0.04],
        [0.13, 0.09, 0.07],
        [0.25, 0.17, 0.11],
        [0.40, 0.27, 0.16],
        [0.66, 0.52, 0.33],
        [0.48, 0.23, 0.11],
    ]
)
"""sRGB from black to blond, and red."""
_SHARES = (0.32, 0.28, 0.2, 0.1, 0.07, 0.03)
_GREY = np.array([0.62, 0.61, 0.60])


@dataclasses.dataclass(frozen=True)
class Cut:
    """A way to wear hair; lengths in widths of the head, ranges are drawn from.

    Parameters
    ----------
    men, women : weights among all cuts
    length : of the hair on top
    sides : length beside and behind, a share of it
    lift : how steeply it leaves the head, 0 lies flat, 1 stands
    comb : "crown" away from the whorl, "part" from a parting to both sides, "back", "up", "tie"
        to a knot behind
    gravity : how soon it hangs
    volume : thickness of all layers
    curl : radius of the curls, mm
    turn : length of one curl, mm
    clump : how far hairs join into locks
    frizz : mm that hairs stray at their tips
    end : where roots end behind, below the brows
    clear : how far from the middle of the face it hangs
    fringe : where hair over the forehead ends above the brows; None without
    """

    men: float
    women: float
    length: Range
    sides: Range
    lift: Range
    comb: str
    gravity: Range
    volume: Range
    curl: Range = (0.0, 0.5)
    turn: Range = (60.0, 120.0)
    clump: Range = (0.2, 0.6)
    frizz: Range = (0.5, 2.0)
    end: Range = (0.35, 0.55)
    clear: Range = (0.3, 0.44)
    fringe: Range | None = None


CUTS = {
    "buzz": Cut(0.08, 0.0, (0.02, 0.04), (0.5, 1.0), (0.3, 0.7), "crown", (0, 0), (0.0, 0.01)),
    "crew": Cut(
        0.14, 0.01, (0.05, 0.11), (0.4, 0.8), (0.15, 0.5), "crown", (0, 0.2), (0.01, 0.02)
    ),
    "short": Cut(
        0.24, 0.05, (0.2, 0.36), (0.3, 0.5), (0.08, 0.3), "part", (0.3, 0.8), (0.02, 0.06)
    ),
    "brushed": Cut(
        0.12, 0.03, (0.2, 0.4), (0.3, 0.5), (0.1, 0.4), "back", (0.15, 0.4), (0.02, 0.06)
    ),
    "messy": Cut(
        0.14, 0.06, (0.2, 0.36), (0.5, 0.8), (0.1, 0.4), "crown", (0.3, 0.8), (0.03, 0.07),
        curl=(1.0, 3.0), frizz=(2.0, 5.0), fringe=(0.08, 0.25), end=(0.45, 0.6),
    ),
    "curly": Cut(
        0.1, 0.07, (0.16, 0.34), (0.5, 0.9), (0.4, 0.7), "crown", (0.1, 0.5), (0.03, 0.08),
        curl=(3.0, 6.0), turn=(18.0, 34.0), clump=(0.5, 0.8), frizz=(2.0, 4.0),
    ),
    "afro": Cut(
        0.04, 0.03, (0.06, 0.3), (0.7, 1.0), (0.9, 1.0), "up", (0, 0.05), (0.04, 0.1),
        curl=(2.0, 3.5), turn=(9.0, 16.0), clump=(0.0, 0.3), frizz=(3.0, 6.0),
    ),
    "bowl": Cut(
        0.04, 0.06, (0.5, 0.75), (0.6, 0.8), (0.03, 0.15), "crown", (0.6, 1.2), (0.03, 0.06),
        fringe=(0.02, 0.12), clear=(0.4, 0.48), end=(0.45, 0.6),
    ),
    "bob": Cut(
        0.01, 0.17, (0.95, 1.3), (0.75, 0.9), (0.03, 0.15), "part", (1.2, 2.2), (0.04, 0.11),
        end=(0.45, 0.6),
    ),
    "long": Cut(
        0.02, 0.26, (1.7, 2.8), (0.85, 0.95), (0.03, 0.12), "part", (1.5, 2.5), (0.03, 0.1),
        end=(0.45, 0.6),
    ),
    "fringed": Cut(
        0.0, 0.1, (1.3, 2.3), (0.85, 0.95), (0.03, 0.12), "part", (1.5, 2.5), (0.03, 0.09),
        fringe=(0.0, 0.1), clear=(0.4, 0.48), end=(0.45, 0.6),
    ),
    "wavy": Cut(
        0.03, 0.14, (1.2, 2.2), (0.8, 0.95), (0.1, 0.3), "part", (0.9, 1.8), (0.04, 0.11),
        curl=(3.0, 8.0), turn=(45.0, 90.0), clump=(0.5, 0.8), frizz=(1.0, 4.0), end=(0.45, 0.6),
    ),
    "tied": Cut(
        0.01, 0.18, (0.7, 0.9), (0.6, 0.8), (0.0, 0.05), "tie", (0.0, 0.0), (0.01, 0.04),
        end=(0.45, 0.6),
    ),
}  # fmt: skip
"""Every cut by name."""
_TIGHT = ("curly", "afro", "buzz", "crew")


@dataclasses.dataclass(frozen=True)
class HairStyle:
    """One person's hair; lengths in widths of the head, curls in mm.

    Parameters
    ----------
    cut : name in `CUTS`
    line : height of the hair line over the brows, in the middle
    recede : how much higher it lies at the temples
    peak : how far a tongue of hair comes down in the middle
    slope : how fast the line falls towards the ears
    end : where the roots end at the back, below the brows
    crown : height over the brows above which nothing grows; infinite for most
    part : where the hair is parted, from the middle
    length, sides, lift, gravity, volume, curl, turn, clump, frizz, clear : see `Cut`
    fringe : see `Cut`; negative without
    density : share of all hairs
    grey : share of grey hairs
    color : sRGB of the others
    """

    cut: str
    line: float
    recede: float
    peak: float
    slope: float
    end: float
    crown: float
    part: float
    length: float
    sides: float
    lift: float
    gravity: float
    volume: float
    curl: float
    turn: float
    clump: float
    frizz: float
    clear: float
    fringe: float
    density: float
    grey: float
    color: tuple[float, float, float]

    @property
    def mean_color(self) -> FloatArray:
        """(3,) sRGB of all hairs together."""
        return np.array(self.color) + self.grey * (_GREY - np.array(self.color))


def draw_hair(
    skin: np.ndarray, masculine: float, age: float, rng: np.random.Generator
) -> HairStyle:
    """Draw the hair of a person.

    Parameters
    ----------
    skin : (3,) sRGB; dark skin goes with dark and tight hair
    masculine : 0 for a typical woman, 1 for a typical man
    age : years
    """
    light = float(np.mean(skin))
    shares = np.array(_SHARES) * [1, 1, 1, light > 0.4, light > 0.5, light > 0.5]
    first = _COLORS[int(rng.choice(len(_COLORS), p=shares / shares.sum()))]
    color = np.clip(first * rng.uniform(0.75, 1.3) + rng.normal(0, 0.008, 3), 0.02, 0.9)
    names = list(CUTS)
    man = 1.0 / (1.0 + np.exp(-10.0 * (masculine - 0.5)))
    weights = np.array([man * CUTS[name].men + (1 - man) * CUTS[name].women for name in names])
    weights *= [2.5 if light < 0.4 and name in _TIGHT else 1.0 for name in names]
    name = names[int(rng.choice(len(names), p=weights / weights.sum()))]
    cut = CUTS[name]
    loss = man * max(rng.normal(0.007 * (age - 28.0), 0.12), 0.0)
    bald = loss > 0.34
    if bald and name != "buzz":
        name, cut = "crew", CUTS["crew"]
    drawn = {
        field: float(rng.uniform(*getattr(cut, field)))
        for field in (
            "length", "sides", "lift", "gravity", "volume", "curl", "turn", "clump", "frizz",
            "end", "clear",
        )
    }  # fmt: skip
    fringe = float(rng.uniform(*cut.fringe)) if cut.fringe is not None else -1.0
    grey = float(np.clip((age - 34.0) / 38.0 + rng.normal(0, 0.2), 0.0, 1.0)) if age > 30 else 0.0
    return HairStyle(
        cut=name,
        line=float(rng.uniform(0.3, 0.42) + 0.25 * min(loss, 0.4)),
        recede=float(rng.uniform(0.0, 0.06) + 0.5 * min(loss, 0.4)),
        peak=float(max(rng.normal(0.0, 0.03), 0.0) + 0.15 * min(loss, 0.3)),
        slope=float(rng.uniform(0.75, 1.05)),
        crown=float(rng.uniform(0.2, 0.42)) if bald else np.inf,
        part=float(rng.choice([-1, 1]) * rng.uniform(0.0, 0.22)),
        fringe=fringe if not bald else -1.0,
        density=float(np.clip(1.0 - 0.8 * loss, 0.4, 1.0)),
        grey=grey,
        color=(float(color[0]), float(color[1]), float(color[2])),
        **drawn,
    )
