"""Labelled faces: what fits together, held-out people, hidden labels, sets that cannot teach."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geomface.datasets import LabelledFaces, check_labels, hide_labels, split_faces
from geomface.errors import GeomfaceError, MeshError, SettingsError
from geomface.learning.errors import DatasetError
from geomface.learning.holdout import is_held_out
from geomface.mesh import Mesh, Template

CORNERS = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0]])
TEMPLATE = Template(Mesh(CORNERS, np.array([[0, 1, 2]]), name="triangle"))


def labelled(
    identity: list[int], expression: list[int], people: list[str] | None = None
) -> LabelledFaces:
    """Faces that carry their number as their x coordinates."""
    count = len(identity)
    names = people or [f"p{k}" for k in range(max(identity, default=-1) + 1)]
    return LabelledFaces(
        TEMPLATE,
        np.zeros((count, 3, 3), np.float32) + np.arange(count)[:, None, None],
        tuple(f"face{k}" for k in range(count)),
        {"identity": np.array(identity, int), "expression": np.array(expression, int)},
        {"identity": tuple(names), "expression": ("calm", "glad")},
        {"expression": np.array(expression, int)},
    )


GOOD = labelled([0, 0, 1, 1], [0, 1, 0, 1])


def test_select_keeps_rows_together() -> None:
    some = GOOD.select([3, 1])
    assert some.names == ("face3", "face1") and some.vertices[:, 0, 0].tolist() == [3, 1]
    assert some.labels["identity"].tolist() == [1, 0]
    assert some.truth["expression"].tolist() == [1, 1]
    assert some.classes == GOOD.classes
    assert GOOD.select(slice(1, 3)).names == ("face1", "face2")
    flags = np.array([True, False, False, True])
    assert GOOD.select(flags).names == ("face0", "face3") and len(GOOD.select([])) == 0


def test_a_memory_map_stays_one(tmp_path) -> None:
    stored = np.lib.format.open_memmap(tmp_path / "v.npy", "w+", np.float32, (4, 3, 3))
    faces = dataclasses.replace(GOOD, vertices=stored)
    assert np.shares_memory(faces.vertices, stored)
    assert np.shares_memory(faces.select(slice(0, 2)).vertices, stored)
    with pytest.raises(ValueError, match="read-only"):
        faces.vertices[0] = 1


@settings(max_examples=40, deadline=None)
@given(
    identity=st.lists(st.integers(-1, 6), min_size=1, max_size=30),
    share=st.floats(0, 0.7),
    salt=st.integers(0, 10_000),
)
def test_split_goes_by_the_name_of_the_person(identity, share, salt) -> None:
    people = [f"{salt}-{k}" for k in range(7)]
    faces = labelled(identity, [0] * len(identity), people)
    kept = [label < 0 or not is_held_out(people[label], share) for label in identity]
    if not any(kept):
        with pytest.raises(DatasetError, match="Lower it"):
            split_faces(faces, share)
        return
    training, held_out = split_faces(faces, share)
    assert sorted(training.names + held_out.names) == sorted(faces.names)
    for side, expected in ((training, True), (held_out, False)):
        rows = [row for row in range(len(identity)) if kept[row] is expected]
        assert side.names == tuple(f"face{row}" for row in rows)
        assert side.vertices[:, 0, 0].tolist() == rows
        names = side.classes["identity"]
        who = [names[label] if label >= 0 else None for label in side.labels["identity"]]
        assert who == [people[identity[row]] if identity[row] >= 0 else None for row in rows]
        assert set(names) == {name for name in who if name}
        assert side.classes["expression"] == ("calm", "glad")


def test_a_person_stays_on_the_same_side_in_any_set() -> None:
    many = labelled(list(range(40)), [0] * 40)
    few = many.select(range(0, 40, 3))
    _, out = split_faces(many, 0.3)
    _, out_of_few = split_faces(few, 0.3)
    assert 0 < len(out_of_few) < len(out) < 40
    assert set(out_of_few.names) == set(out.names) & set(few.names)


def test_a_split_renumbers_the_truth_too() -> None:
    faces = labelled([0, 1, 2, 3, 4, 5], [0] * 6)
    faces = dataclasses.replace(faces, truth={"identity": faces.labels["identity"]})
    hidden = hide_labels(faces, "identity", 0.0)
    assert (hidden.labels["identity"] == -1).all()
    assert split_faces(hidden, 0.5)[0].classes == hidden.classes  # nobody is known: all stay
    for side in split_faces(faces, 0.5):
        assert (side.truth["identity"] == side.labels["identity"]).all() and len(side) > 0


@settings(max_examples=40, deadline=None)
@given(
    expression=st.lists(st.integers(-1, 1), max_size=40), share=st.floats(0, 1), seed=st.integers(0)
)
def test_hidden_labels(expression, share, seed) -> None:
    faces = labelled([0] * len(expression), expression)
    hidden = hide_labels(faces, "expression", share, seed=seed)
    before, after = faces.labels["expression"], hidden.labels["expression"]
    assert ((after == before) | (after == -1)).all()
    for label in (0, 1):
        count = (before == label).sum()
        wanted = max(round(share * count), 2) if share else 0
        assert (after == label).sum() == min(wanted, count)
    # The order of the faces changes nothing.
    turned = hide_labels(faces.select(slice(None, None, -1)), "expression", share, seed=seed)
    assert turned.labels["expression"][::-1].tolist() == after.tolist()
    assert hidden.truth["expression"].tolist() == before.tolist()


def test_the_seed_chooses_which_labels_stay() -> None:
    faces = labelled([0] * 60, [0, 1] * 30)
    kept = {
        tuple(hide_labels(faces, "expression", 0.2, seed=seed).labels["expression"])
        for seed in range(5)
    }
    assert len(kept) == 5


def test_a_set_that_can_teach() -> None:
    check_labels(GOOD, ["identity", "expression"])
    check_labels(labelled([0, 0, 0], [1, 1, 0]), [])


@pytest.mark.parametrize(
    ("faces", "factors", "sentence"),
    [
        (GOOD.select([]), ["identity"], "expected labelled faces, got none"),
        (labelled([0, 0], [0, 1]), ["identity"], "at least two classes, got 1 \\(p0\\)"),
        (GOOD, ["identity", "light"], "light: expected a factor .* \\(identity, expression\\)"),
        (
            labelled([0, 1, 2, -1, -1, -1], [0] * 6, ["a", "b", "c", "d"]),
            ["identity"],
            "more labelled faces than its 4 classes, got 3 among the 6 faces of the people",
        ),
        (
            labelled([0, 0, 1, 1], [0, 0, 0, 1]),
            ["expression"],
            "expression: expected at least 2 labelled faces of each class among the 4 faces of the "
            "people that are trained on, glad has 1. Label more .* a larger --labelled",
        ),
        (labelled([0, 0, 1, 1], [0, 0, 0, 0]), ["expression"], "glad has 0"),
        (
            labelled([0, 0, 1, 2, 3, 4], [0] * 6),
            ["identity"],
            "p1 has 1, p2 has 1, p3 has 1 and 1 more",
        ),
        (
            labelled([0, 1, 2, 3, 4], [0] * 5),
            ["identity"],
            "more labelled faces than its 5 classes, got 5 among",
        ),
        (labelled([-1, -1], [0, 1]), ["identity"], "got 0: no face has one. Give a label table"),
    ],
)
def test_a_set_that_cannot_teach(faces, factors, sentence) -> None:
    with pytest.raises(DatasetError, match=sentence):
        check_labels(faces, factors)


BAD = np.zeros((4, 3, 3))
BAD[2, 1] = np.nan


@pytest.mark.parametrize(
    ("changes", "error", "sentence"),
    [
        ({"vertices": BAD}, MeshError, "1 of 4 rows hold NaN or infinity \\(first: row 2\\)"),
        ({"vertices": np.zeros((4, 4, 3))}, MeshError, "expected an array of shape \\(4, 3, 3\\)"),
        ({"names": ("a", "b", "a", "c")}, DatasetError, "each once, got 'a' twice"),
        ({"names": "abcd"}, DatasetError, "expected several strings, got 'abcd'"),
        ({"names": (1, 2, 3, 4)}, DatasetError, "expected strings, got 1"),
        ({"vertices": np.full((4, 3, 3), "x")}, MeshError, "expected numbers as vertices"),
        ({"template": None}, MeshError, "expected a Template, got None"),
        ({"labels": None}, DatasetError, "expected labels as .factor: ...., got None"),
        ({"labels": {"identity": None}}, DatasetError, "labels of identity: expected an array"),
        *(
            ({"labels": {"identity": np.full(4, of)}}, DatasetError, "expected whole numbers")
            for of in (0.7, np.nan, 0.0, True, "p0")
        ),
        ({"classes": {"identity": "ab"}}, DatasetError, "classes of identity: expected several"),
        ({"classes": {"identity": None}}, DatasetError, "classes of identity: expected several"),
        ({"classes": {"identity": (0, 1)}}, DatasetError, "identity: expected strings, got 0"),
        ({"classes": {"identity": ("a", "a")}}, DatasetError, "each once, got 'a' twice"),
        ({"labels": {"light": np.zeros(4)}}, DatasetError, "labels of light: .* got none"),
        (
            {"labels": {"identity": np.zeros(3, int)}},
            DatasetError,
            "labels of identity: .*\\(3,\\)",
        ),
        ({"labels": {"identity": np.full(4, 2)}}, DatasetError, "index 2 is outside 0..1"),
        ({"truth": {"identity": np.full(4, -2)}}, DatasetError, "index -2 is outside 0..1"),
        (
            {"template": Template(TEMPLATE.mesh.replace(unit="m"))},
            MeshError,
            "triangle: expected a template in mm, got one in m",
        ),
    ],
)
def test_what_does_not_fit_together(changes, error, sentence) -> None:
    with pytest.raises(error, match=sentence):
        dataclasses.replace(GOOD, **changes)


def test_unknown_factors_and_shares() -> None:
    for call in (
        lambda: split_faces(GOOD, 0.1, factor="light"),
        lambda: hide_labels(GOOD, "age", 1),
    ):
        with pytest.raises(GeomfaceError, match="identity, expression"):
            call()
    for share in (2, -0.1, np.nan, None, "1"):
        with pytest.raises(SettingsError, match="share of known labels: expected 0 to 1, got"):
            hide_labels(GOOD, "expression", share)
    for share in (1, 2.0, -1, np.nan, None):
        with pytest.raises(SettingsError, match="held-out share: expected 0 to below 1, got"):
            split_faces(GOOD, share)


def test_what_is_printed() -> None:
    faces = dataclasses.replace(GOOD, labels={**GOOD.labels, "expression": np.array([0, -1, 1, 1])})
    assert repr(faces) == (
        "LabelledFaces(4 faces, 3 vertices; identity: 2 classes, 4 known; "
        "expression: 2 classes, 3 known)"
    )
