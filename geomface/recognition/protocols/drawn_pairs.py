"""Lists of pairs drawn for people with numbered pictures, in LFW's layout."""

import dataclasses

from geomface.errors import SettingsError
from geomface.ranges import COUNT, require_numbers


@dataclasses.dataclass(frozen=True)
class DrawnPairsSettings:
    """How many people, pictures and pairs a list is drawn of."""

    people: int = 200
    """Number of people; those of a fold are in no other."""
    samples: int = 4
    """Pictures a person."""
    folds: int = 10
    """Parts of the list."""
    pairs: int = 60
    """Pairs of one person in each fold, and of two."""

    def __post_init__(self) -> None:
        require_numbers(self, people="[4, inf)", samples="[2, 9999]", folds="[2, inf)", pairs=COUNT)
        people = self.people // self.folds
        of_one = people * (self.samples * (self.samples - 1) // 2)
        of_two = people * (people - 1) // 2 * self.samples**2
        if self.pairs > min(of_one, of_two):
            raise SettingsError(
                f"pairs: expected at most {min(of_one, of_two)} of either kind in a fold, which is "
                f"what {people} people with {self.samples} pictures have, got {self.pairs}. Draw "
                "more people, or fewer folds or pairs."
            )


def person_name(index: int) -> str:
    """Return what a person of a drawn list is called."""
    return f"person{index:05d}"


def draw_pair_list(settings: DrawnPairsSettings, seed: int = 0) -> str:
    """Return a list of pairs as LFW's pairs.txt has it: "NAME 1 2" and "NAME 1 OTHER 2".

    No pair comes twice, and the people of a fold are in no other fold.

    Parameters
    ----------
    settings : see `DrawnPairsSettings`
    seed : of the draw

    Example
    -------
    >>> draw_pair_list(DrawnPairsSettings(people=4, samples=2, folds=2, pairs=1)).splitlines()[:2]
    ['2\\t1', 'person00000\\t1\\t2']
    """
    from geomface.synthesis.streams import stream  # numpy; the settings are read by help texts

    lines = [f"{settings.folds}\t{settings.pairs}"]
    for fold in range(settings.folds):
        rng = stream(seed, "pairs", fold)
        people = range(
            fold * settings.people // settings.folds, (fold + 1) * settings.people // settings.folds
        )
        one = [(a, i, a, j) for a in people for i, j in _two(settings.samples)]
        for place in sorted(rng.choice(len(one), settings.pairs, replace=False).tolist()):
            a, i, _, j = one[place]
            lines.append(f"{person_name(a)}\t{i}\t{j}")
        drawn: set[tuple[int, int, int, int]] = set()
        while len(drawn) < settings.pairs:
            a, b = sorted(rng.choice(people, 2, replace=False).tolist())
            i, j = rng.integers(1, settings.samples + 1, 2).tolist()
            drawn.add((a, i, b, j))
        lines += [f"{person_name(a)}\t{i}\t{person_name(b)}\t{j}" for a, i, b, j in sorted(drawn)]
    return "\n".join(lines) + "\n"


def _two(count: int) -> list[tuple[int, int]]:
    """Return all pairs of 1 to count."""
    return [(i, j) for i in range(1, count + 1) for j in range(i + 1, count + 1)]
