"""Lists of pairs of pictures: LFW's layout as it is, or two names and 0 or 1 a line."""

import csv
import dataclasses
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from geomface.arrays import BoolArray, IndexArray
from geomface.errors import FileFormatError
from geomface.files.reading import read_text

_EXPECTED, _DIGITS = "a list of pairs", 9
_ANSWERS = {"1": True, "0": False, "true": True, "false": False}
_LAYOUTS = (
    "'NAME 1 2' and 'NAME 1 OTHER 2' as LFW has them, or 'A.png B.png 1' with 1 for one person and "
    "0 for two"
)


@dataclasses.dataclass(frozen=True, eq=False)
class PairList:
    """Pairs of pictures by name.

    Parameters
    ----------
    first, second : P names of pictures
    same : (P,) whether both show one person
    people : P pairs of names of people, "" where the list does not tell
    folds : (P,) int64 fold of each pair, None where the list has none
    source : the file

    Example
    -------
    >>> from pathlib import Path
    >>> from geomface.recognition import PairList, load_pair_list
    >>> text = "anna/1.png anna/2.png 1\\nanna/1.png ben/1.png 0\\n"
    >>> count = Path("pairs.txt").write_text(text)
    >>> pairs = load_pair_list("pairs.txt")
    >>> isinstance(pairs, PairList), len(pairs), pairs.first
    (True, 2, ('anna/1.png', 'anna/1.png'))
    """

    first: tuple[str, ...]
    second: tuple[str, ...]
    same: BoolArray
    people: tuple[tuple[str, str], ...]
    folds: IndexArray | None
    source: str

    def __len__(self) -> int:
        return len(self.first)


def load_pair_list(path: Path | str) -> PairList:
    """Read a list of pairs.

    Parameters
    ----------
    path : lines of words with blanks, tabs, commas or semicolons between them.

        - LFW (`pairs.txt`, `pairsDevTest.txt`): a first line of folds and pairs of either kind in
          each, "10 300", or of the pairs alone, "500"; then "NAME 1 2" for NAME/NAME_0001 and
          NAME/NAME_0002, and "NAME 1 OTHER 2". The first line may be missing.
        - other lists: "A.png B.png 1", in CSV with or without a header

    Raises
    ------
    FileFormatError : missing or empty, a line of another form, other numbers of pairs than the
        first line says, a picture with itself, no pair of either kind

    Source
    ------
    Huang et al. 2007: http://vis-www.cs.umass.edu/lfw/README.txt

    Example
    -------
    >>> from pathlib import Path
    >>> from geomface.recognition import load_pair_list
    >>> text = "Ann_Lee 1 2\\nAnn_Lee 1 Bo_Ek 3\\n"  # as LFW has them
    >>> count = Path("pairs.txt").write_text(text)
    >>> load_pair_list("pairs.txt").second
    ('Ann_Lee/Ann_Lee_0002', 'Bo_Ek/Bo_Ek_0003')
    """
    path = Path(path)
    rows = _rows(path)
    if not rows:
        raise FileFormatError(f"{path}: expected {_EXPECTED}, it is empty.")
    header = _header(rows[0][1])
    if header is not None or _is_title(rows[0][1]):
        rows = rows[1:]
    pairs = [_pair(path, number, words) for number, words in rows]
    same = np.array([pair[2] for pair in pairs], bool)
    folds = None if header is None else _folds(path, header, same)
    if not same.any() or same.all():
        raise FileFormatError(
            f"{path}: expected pairs of one person and pairs of two, got {int(same.sum())} and "
            f"{int((~same).sum())}. Both kinds are needed: add the other."
        )
    first, second, _, people = zip(*pairs, strict=True)
    return PairList(first, second, same, people, folds, str(path))


def _rows(path: Path) -> list[tuple[int, list[str]]]:
    """Return (line number, words) of the lines that have any."""
    text = read_text(path, _EXPECTED)
    if "\0" in text:
        raise FileFormatError(f"{path}: expected {_EXPECTED} as text, got zero bytes.")
    # Names of people and files may hold blanks: other separators go first.
    separator = next((mark for mark in "\t;," if mark in text), None)
    if separator is None:
        split = [line.split() for line in text.splitlines()]
    else:
        try:
            split = list(csv.reader(io.StringIO(text), delimiter=separator, strict=True))
        except csv.Error as error:
            raise FileFormatError(
                f"{path}: expected {_EXPECTED}, could not read it ({error}). Check its quotation "
                "marks."
            ) from error
    rows = [(number, [word.strip() for word in words]) for number, words in enumerate(split, 1)]
    return [(number, words) for number, words in rows if any(words)]


def _header(words: Sequence[str]) -> tuple[int, int] | None:
    """Return folds and pairs of either kind in each, None for a line that is a pair."""
    numbers = [word for word in words if word]
    if not all(map(_is_number, numbers)) or len(numbers) > 2:
        return None
    return (1, int(numbers[0])) if len(numbers) == 1 else (int(numbers[0]), int(numbers[1]))


def _is_title(words: Sequence[str]) -> bool:
    """Say whether a first line names the columns of a table."""
    return len(words) == 3 and not words[2].isdecimal() and words[2].lower() not in _ANSWERS


def _pair(path: Path, number: int, words: Sequence[str]) -> tuple[str, str, bool, tuple[str, str]]:
    """Return both names, whether they show one person, and who is in them."""
    match list(words):
        case [person, one, two] if _is_number(one) and _is_number(two):
            pair = _lfw(person, one), _lfw(person, two), True, (person, person)
        case [person, one, other, two] if _is_number(one) and _is_number(two):
            pair = _lfw(person, one), _lfw(other, two), person == other, (person, other)
        case [first, second, answer] if first and second and answer.lower() in _ANSWERS:
            names = first.replace("\\", "/"), second.replace("\\", "/")
            pair = *names, _ANSWERS[answer.lower()], ("", "")
        case _:
            raise FileFormatError(
                f"{path}: line {number}: expected {_LAYOUTS}; got {' '.join(words)[:80]!r}."
            )
    if pair[0] == pair[1]:
        raise FileFormatError(
            f"{path}: line {number}: expected two pictures, got {pair[0]} twice. Remove the line."
        )
    return pair


def _is_number(word: str) -> bool:
    """Say whether a word counts pictures; what is longer is no number of any list."""
    return word.isdecimal() and len(word) <= _DIGITS


def _lfw(person: str, number: str) -> str:
    return f"{person}/{person}_{int(number):04d}"


def _folds(path: Path, header: tuple[int, int], same: BoolArray) -> IndexArray | None:
    """Check the numbers of pairs, and return the fold of each; None: the list is not divided."""
    folds, each = header
    if len(same) != 2 * folds * each:
        raise FileFormatError(
            f"{path}: expected {2 * folds * each} pairs, as the first line says ({folds} x 2 x "
            f"{each}), got {len(same)}. Copy the file again."
        )
    if folds < 2:
        return None
    return np.repeat(np.arange(folds), 2 * each)
