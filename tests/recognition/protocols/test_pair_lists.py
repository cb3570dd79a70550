"""Lists of pairs as others write them, and pairs of labelled pictures."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from geomface.errors import FileFormatError, SettingsError
from geomface.learning.errors import DatasetError
from geomface.recognition.protocols.embeddings import (
    Embeddings,
    load_embeddings,
    save_embeddings,
)
from geomface.recognition.protocols.pair_list import load_pair_list
from geomface.recognition.protocols.picture_pairs import all_pairs, listed_pairs

LFW = "2\t2\nAda_A\t1\t4\nA.J._Cook\t1\t2\nAda_A\t1\tEva_E\t1\nEva_E\t2\tA.J._Cook\t12\n" + (
    "Bo_B\t1\t2\nCy_C\t1\t2\nBo_B\t1\tCy_C\t1\nCy_C\t2\tDi_D\t1\n"
)


def write(folder: Path, text: str, name: str = "pairs.txt") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_the_layout_of_lfw_is_read_as_it_is(tmp_path: Path) -> None:
    pairs = load_pair_list(write(tmp_path, LFW))
    assert pairs.first[:2] == ("Ada_A/Ada_A_0001", "A.J._Cook/A.J._Cook_0001")
    assert pairs.second[3] == "A.J._Cook/A.J._Cook_0012"
    assert pairs.people[2] == ("Ada_A", "Eva_E")
    np.testing.assert_array_equal(pairs.same, [True, True, False, False] * 2)
    np.testing.assert_array_equal(pairs.folds, [0] * 4 + [1] * 4)


def test_one_number_at_the_head_and_none_have_no_folds(tmp_path: Path) -> None:
    lines = LFW.split("\n", 1)[1]
    alike = [line for line in lines.splitlines() if line.count("\t") == 2]
    others = [line for line in lines.splitlines() if line.count("\t") == 3]
    dev = load_pair_list(write(tmp_path, "\n".join(["4", *alike, *others])))
    assert dev.folds is None and len(dev) == 8
    bare = load_pair_list(write(tmp_path, lines.replace("\t", "  ")))
    assert bare.first == load_pair_list(write(tmp_path, LFW)).first and bare.folds is None


@pytest.mark.parametrize(
    "text",
    [
        "a/1.png,a/2.png,1\na/1.png,b/1.png,0\n",
        "first,second,same\r\na/1.png,a/2.png,1\r\na/1.png,b/1.png,0\r\n",
        "a/1.png a/2.png 1\n\na/1.png b/1.png 0",
        "a\\1.png;a\\2.png;True\na\\1.png;b\\1.png;False\n",
        '"a/1.png","a/2.png",1\n"a/1.png","b/1.png",0\n',
    ],
)
def test_two_names_and_an_answer(tmp_path: Path, text: str) -> None:
    pairs = load_pair_list(write(tmp_path, text, "pairs.csv"))
    assert (pairs.first, pairs.second) == (("a/1.png", "a/1.png"), ("a/2.png", "b/1.png"))
    np.testing.assert_array_equal(pairs.same, [True, False])
    found = listed_pairs(pairs, ["b/1.png", "a/1.png", "a/2.png"], folds=2)
    np.testing.assert_array_equal(found.rows, [[1, 2], [1, 0]])
    # Two folders, and they agree with the answers.
    assert found.people is not None and found.people[0, 0] == found.people[0, 1]
    assert found.folds is None


def test_names_are_found_without_ending_and_where_unique_without_folders(tmp_path: Path) -> None:
    pairs = load_pair_list(write(tmp_path, LFW))
    stems = sorted({*pairs.first, *pairs.second})
    for names in ([f"{n}.jpg" for n in stems], [f"lfw/x/{n.split('/')[1]}.png" for n in stems]):
        found = listed_pairs(pairs, names)
        assert [stems[row] for row in found.rows[:, 0]] == list(pairs.first)
        assert found.people is not None and len(np.unique(found.people)) == 6
        np.testing.assert_array_equal(found.folds, pairs.folds)


def test_people_in_several_folds_are_noted(tmp_path: Path) -> None:
    pairs = load_pair_list(write(tmp_path, LFW.replace("Di_D", "Eva_E")))
    found = listed_pairs(pairs, sorted({*pairs.first, *pairs.second}))
    assert any("1 people are in several folds" in note for note in found.notes)


def test_missing_pictures_are_told_with_their_number_and_the_first(tmp_path: Path) -> None:
    pairs = load_pair_list(write(tmp_path, LFW))
    names = [f"{name}.jpg" for name in {*pairs.first, *pairs.second} if "Bo_B" not in name]
    with pytest.raises(DatasetError, match=r"names 2 pictures .* such as Bo_B/Bo_B_0001") as caught:
        listed_pairs(pairs, names)
    assert str(caught.value).count("\n") == 0
    # A name that two pictures share without their folders is neither.
    with pytest.raises(DatasetError, match="names 1 pictures"):
        other = load_pair_list(write(tmp_path, "x.png y.png 1\ny.png z.png 0"))
        listed_pairs(other, ["a/x.png", "b/x.png", "y.png", "z.png"])


def test_labels_that_contradict_a_list_are_refused(tmp_path: Path) -> None:
    pairs = load_pair_list(write(tmp_path, "x.png y.png 1\ny.png z.png 0"))
    names = ["x.png", "y.png", "z.png"]
    with pytest.raises(DatasetError, match="1 pairs contradict the labels, such as x.png and y"):
        listed_pairs(pairs, names, {"x.png": "a", "y.png": "b", "z.png": "c"})
    # Folders may be of dates: where they contradict the list they tell nothing of people.
    dated = load_pair_list(write(tmp_path, "1/x.png 2/y.png 1\n1/x.png 1/z.png 0"))
    found = listed_pairs(dated, ["1/x.png", "2/y.png", "1/z.png"])
    assert found.people is None and "not known" in found.notes[0]
    for gaps in ({"x.png": "a"}, None):
        found = listed_pairs(pairs, names, gaps)
        assert found.people is None and "not known" in found.notes[0]


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("", "pairs.txt: expected a list of pairs"),
        ("10 300\nA 1 2\nA 1 B 1\n", "expected 6000 pairs.*got 2"),
        ("A 1 2\nA 1 B\n", "line 2: expected"),
        ("A 1 2\nA 1 B 2 3\n", "line 2: expected"),
        ("A 1 1\nA 1 B 2\n", "line 1: expected two pictures"),
        ("a b 2\n" * 3, "line 1: expected"),
        ("A 1 2\nB 1 2\n", "got 2 and 0"),
        ("A\0 1 2", "zero bytes"),
        ('a,"b,1\n', "could not read"),
    ],
)
def test_bad_lists_are_refused_in_one_sentence(tmp_path: Path, text: str, match: str) -> None:
    with pytest.raises(FileFormatError, match=match):
        load_pair_list(write(tmp_path, text))


def test_all_pairs_of_a_set_and_folds_that_share_nobody() -> None:
    people = [f"p{k // 4}" for k in range(24)] + [""]
    pairs = all_pairs(people, folds=3)
    assert len(pairs) == 24 * 23 // 2 and pairs.same.sum() == 6 * 6
    assert "1 pictures have no label" in pairs.notes[0]
    assert pairs.people is not None and pairs.folds is not None
    everyone = [set(pairs.people[pairs.folds == fold].ravel()) for fold in range(3)]
    assert [len(some) for some in everyone] == [2, 2, 2] and len(set().union(*everyone)) == 6
    few = all_pairs(["a", "a", "b"])
    assert few.folds is None and "too few people" in few.notes[0]
    drawn = all_pairs(people, folds=3, most=100)
    assert len(drawn) == 100 and drawn.same.sum() == 50 and "100 were drawn" in drawn.notes[0]


@pytest.mark.parametrize("people", [["a"] * 4, ["a", "b"], ["", "", "a"], []])
def test_one_person_or_single_pictures_are_refused(people: list[str]) -> None:
    with pytest.raises(DatasetError, match="two people or more"):
        all_pairs(people)


def test_embeddings_come_back_from_their_file(tmp_path: Path, rng: np.random.Generator) -> None:
    rows = rng.standard_normal((4, 8))
    rows[2] = np.nan
    found = np.array([True, True, False, True])
    given = Embeddings(("a/ä.png", "b", "c", "d"), rows, found, "five-points-112x96", "net")
    save_embeddings(tmp_path / "e.npz", given)
    back = load_embeddings(tmp_path / "e.npz")
    assert (back.names, back.alignment, back.embedder) == (given.names, given.alignment, "net")
    assert back.people == ()
    people = ("anna", "", "ben", "anna")
    save_embeddings(tmp_path / "e.npz", dataclasses.replace(given, people=people))
    assert load_embeddings(tmp_path / "e.npz").people == people
    assert back.missing == ("c",) and not back.descriptors[2].any()
    np.testing.assert_allclose(np.linalg.norm(back.descriptors[found], axis=1), 1.0)


def test_bad_embeddings_are_refused_in_one_sentence(tmp_path: Path) -> None:
    good = {"names": np.array(["a", "b"]), "embeddings": np.eye(2), "found": np.ones(2, bool)}
    for change, match in [
        ({"found": None}, "found missing"),
        ({"names": np.array(["a", "a"])}, "each name once, a"),
        ({"names": np.array(["a"])}, "expected names"),
        ({"embeddings": np.eye(2, dtype=int)}, "of floats"),
        ({"embeddings": np.full((2, 3), np.nan)}, "2 of 2 that are zero, NaN"),
        ({"found": np.zeros(2, bool)}, "0 of 0"),
        ({"people": np.array(["a"])}, "people .* one for each of 2 pictures"),
        ({"people": np.array([1, 2])}, "people .* of text"),
    ]:
        arrays = {name: item for name, item in (good | change).items() if item is not None}
        np.savez(tmp_path / "bad.npz", **arrays)
        with pytest.raises(FileFormatError, match=match):
            load_embeddings(tmp_path / "bad.npz")
    (tmp_path / "bad.npz").write_bytes(b"no archive")
    with pytest.raises(FileFormatError, match="npz of embeddings"):
        load_embeddings(tmp_path / "bad.npz")


def test_too_few_folds_are_refused(tmp_path: Path) -> None:
    pairs = load_pair_list(write(tmp_path, "x y 1\ny z 0"))
    with pytest.raises(SettingsError, match="2 or more"):
        listed_pairs(pairs, ["x", "y", "z"], folds=1)
