"""How people wear their hair: cuts, hair lines and colours, by sex and age."""

import dataclasses

import numpy as np

from geomface.arrays import FloatArray
from geomface.faces.traits import Traits

Range = tuple[float, float]

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
    clump: Range = (0.05, 0.4)
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
        0.04, 0.06, (0.5, 0.75), (0.6, 0.8), (0.03, 0.15), "crown", (0.6, 1.2), (0.04, 0.08),
        fringe=(0.02, 0.12), clear=(0.4, 0.48), end=(0.45, 0.6),
    ),
    "bob": Cut(
        0.01, 0.17, (0.95, 1.3), (0.75, 0.9), (0.03, 0.15), "part", (1.0, 2.0), (0.08, 0.18),
        curl=(0.5, 4.0), turn=(60.0, 140.0),
        end=(0.45, 0.6),
    ),
    "long": Cut(
        0.02, 0.26, (1.7, 2.8), (0.85, 0.95), (0.03, 0.12), "part", (1.1, 2.0), (0.08, 0.18),
        curl=(0.5, 4.0), turn=(80.0, 180.0),
        end=(0.45, 0.6),
    ),
    "fringed": Cut(
        0.0, 0.1, (1.3, 2.3), (0.85, 0.95), (0.03, 0.12), "part", (1.1, 2.0), (0.07, 0.16),
        curl=(0.5, 4.0), turn=(80.0, 180.0),
        fringe=(0.0, 0.1), clear=(0.4, 0.48), end=(0.45, 0.6),
    ),
    "wavy": Cut(
        0.03, 0.14, (1.2, 2.2), (0.8, 0.95), (0.05, 0.2), "part", (1.0, 2.0), (0.05, 0.12),
        curl=(3.0, 8.0), turn=(45.0, 90.0), clump=(0.5, 0.8), frizz=(1.0, 4.0), end=(0.45, 0.6),
    ),
    "tied": Cut(
        0.01, 0.18, (0.7, 0.9), (0.6, 0.8), (0.0, 0.05), "tie", (0.0, 0.0), (0.01, 0.04),
        end=(0.45, 0.6),
    ),
}  # fmt: skip
"""Every cut by name."""
_EITHER = ("buzz", "crew", "tied")
"""Cuts for straight and curly hair."""


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


def draw_hair(traits: Traits, rng: np.random.Generator) -> HairStyle:
    """Draw how a person wears the hair that they have."""
    color = np.array(dataclasses.replace(traits, grey=0.0).hair_color)
    color = np.clip(color * rng.uniform(0.85, 1.15) + rng.normal(0, 0.008, 3), 0.02, 0.9)
    name = _draw_cut(traits, rng)
    cut = CUTS[name]
    drawn = {
        field: float(rng.uniform(*getattr(cut, field)))
        for field in (
            "length", "sides", "lift", "gravity", "volume", "curl", "turn", "clump", "frizz",
            "end", "clear",
        )
    }  # fmt: skip
    bald = traits.baldness > 0.5
    fringe = float(rng.uniform(*cut.fringe)) if cut.fringe is not None and not bald else -1.0
    loss = max(0.35 * traits.baldness + traits.masculinity * rng.normal(0.02, 0.05), 0.0)
    line, crown = float(rng.uniform(0.3, 0.4) + 0.25 * loss), float(rng.uniform(0.2, 0.45))
    return HairStyle(
        cut=name,
        # No island is left between a bald forehead and a bald crown.
        line=max(line, crown + 0.08) if bald else line,
        recede=float(rng.uniform(0.0, 0.06) + 0.4 * loss),
        peak=0.0 if bald else float(max(rng.normal(0.0, 0.03), 0.0) + 0.12 * loss),
        slope=float(rng.uniform(0.75, 1.05)),
        crown=crown if bald else np.inf,
        part=float(rng.choice([-1, 1]) * rng.uniform(0.0, 0.22)),
        fringe=fringe,
        density=float(np.clip(1.0 - loss, 0.4, 1.0)),
        grey=traits.grey,
        color=(float(color[0]), float(color[1]), float(color[2])),
        **drawn,
    )


def _draw_cut(traits: Traits, rng: np.random.Generator) -> str:
    """Return the name of a cut that suits sex, curls and what is left."""
    man = traits.masculinity
    weights = []
    for name, cut in CUTS.items():
        curly = 0.5 if name in _EITHER else float(cut.curl[1] > 2.0)
        suits = 0.03 + curly * traits.curl + (1 - curly) * (1 - traits.curl)
        weights.append(suits * (man * cut.men + (1 - man) * cut.women))
    shares = np.array(weights)
    name = list(CUTS)[int(rng.choice(len(shares), p=shares / shares.sum()))]
    return "crew" if traits.baldness > 0.5 and name != "buzz" else name
