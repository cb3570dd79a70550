"""`geomface train|sample|evaluate|fit|edit factored_geometry` from end to end, at toy size."""

import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from factored_cases import sheet_faces

from geomface.cli.learned.factored_geometry.train import read_factors
from geomface.cli.main import main
from geomface.datasets.labelled_folder import save_labelled_faces
from geomface.errors import SettingsError
from geomface.files import load_image
from geomface.gan.factored_geometry import (
    CodeEncoder,
    Factor,
    FactoredModel,
    linear,
    load_factored,
    train_encoder,
)
from geomface.gan.factored_geometry import model as model_module
from geomface.gan.factored_geometry.codes_file import (
    generator_identity,
    load_codes,
    save_codes,
)
from geomface.gan.factored_geometry.grids import draw_grid
from geomface.gan.factored_geometry.pictures import labelled_grid
from geomface.gan.factored_geometry.sources import find_source, recorded_source
from geomface.mesh.io import load_mesh, save_mesh
from geomface.mesh.io.glb_morphs import read_morph_glb
from geomface.pipeline import face_models
from geomface.pipeline.face_models import load_face_model
from geomface.synthesis.labelled_faces import LabelledFacesSettings

NAME = "factored_geometry"
TRAIN = ["train", NAME, "--recipe", "tiny", "--quiet", "--factors", "identity=6,expression=3"]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    faces = sheet_faces(people=14, weights=1)
    names = ("labels", "classes", "truth")
    parts = {
        name: {key: of for key, of in getattr(faces, name).items() if key != "weight"}
        for name in names
    }
    faces = dataclasses.replace(faces, **{**parts, "labels": parts["truth"]})
    folder = tmp_path_factory.mktemp("faces") / "set"
    save_labelled_faces(folder, faces)
    return folder


@pytest.fixture(scope="module")
def run(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("folder") / "run"
    words = ["--data", str(data), "--held-out", "0.4", "--out", str(folder)]
    assert main([*TRAIN, *words]) == 0
    return folder


def test_run_tells_where_its_faces_are(data: Path, run: Path, tmp_path: Path) -> None:
    record = json.loads((run / "run.json").read_text())
    assert record["settings"]["inputs"] == {"source": "folder"}
    assert record["settings"]["factors"][0]["dims"] == 6 and record["data"] == str(data)
    source = recorded_source(load_factored(run).config["data"])
    assert source is not None and source.place == str(data) and source.world() is None
    assert load_image(run / "samples" / "step-000000020.png").shape[1] > 3 * 96
    moved, again = tmp_path / "moved", tmp_path / "run"
    shutil.copytree(data, moved)
    shutil.copytree(run, again)
    words = [*TRAIN, "--data", str(moved), "--held-out", "0.4", "--out", str(again)]
    assert main([*words, "--steps", "22"]) == 0
    assert load_factored(again).step == 22


def test_sample_is_a_grid(run: Path, tmp_path: Path) -> None:
    words = ["sample", NAME, str(run), "--people", "2", "--expressions", "4", "--morph-targets"]
    formats = ["--format", "ply", "obj"]
    assert main([*words, *formats, "--seed", "3", "--out", str(tmp_path / "a"), "--quiet"]) == 0
    model = load_factored(run)
    grid = draw_grid(model, 2, 4, seed=3)
    assert list(grid.columns) == ["a", "b", "c", "random 1"]
    vertices = model.vertices(grid.codes)
    mesh = load_mesh(tmp_path / "a" / "person01_expression02.ply")
    np.testing.assert_allclose(mesh.vertices, vertices[6], atol=1e-4)
    assert mesh.topology_id == model.template.mesh.topology_id
    assert mesh.unit == "mm" and mesh.uv is not None
    rest, targets, _ = read_morph_glb(tmp_path / "a" / "person01.glb")
    assert list(targets) == ["b", "c", "random 1"]
    moved = rest.vertices + targets["c"]
    np.testing.assert_allclose(moved, vertices[6], atol=1e-3)
    # A row keeps the person, a column the expression; more people change none.
    codes = grid.codes.values.reshape(2, 4, -1)
    assert (codes[:, :, model.spec.span("identity")].std(axis=1) == 0).all()
    assert (codes[:, :, model.spec.span("expression")].std(axis=0) == 0).all()
    assert (draw_grid(model, 3, 4, seed=3).codes.values[:8] == grid.codes.values).all()
    assert load_image(tmp_path / "a" / "sheet.png").std() > 0


def test_evaluate_beside_baselines(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    few = ["--samples", "20", "--codes", "4", "--pairs", "20", "--fit", "0"]
    words = ["evaluate", NAME, str(run), *few, "--baselines", "pca", "linear", "--json"]
    assert main([*words, "--report", str(tmp_path / "e.json")]) == 0
    captured = capsys.readouterr()
    record = json.loads(captured.out)
    assert "Dec is left out" in captured.err
    assert record == json.loads((tmp_path / "e.json").read_text())
    assert list(record["rows"]) == [
        "training faces",
        "true faces",
        "run",
        "PCA",
        "linear, fitted",
    ]
    measured = record["rows"]["run"]["specificity"]
    assert measured["n"] == 20 and measured["low"] < measured["value"] < measured["high"]
    assert record["training_faces"] + record["held_out_faces"] == 42
    assert main([*words, "--people", "5", "--quiet"]) == 1
    assert "not drawn" in capsys.readouterr().err


def test_drawn_faces_are_made_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = str(tmp_path / "run")
    drawn = ["--people", "12", "--faces", "7", "--labelled", "0.6", "--region", "face_core"]
    words = [*TRAIN, *drawn, "--steps", "2", "--held-out", "0.3", "--out", out]
    assert main(words) == 0
    inputs = json.loads((tmp_path / "run" / "run.json").read_text())["settings"]["inputs"]
    assert (
        inputs["source"] == "builtin" and inputs["people"] == 12 and inputs["region"] == "face_core"
    )
    assert main([*words, "--people", "13"]) == 1
    assert "people" in capsys.readouterr().err
    few = ["--samples", "10", "--codes", "3", "--pairs", "10", "--baselines", "truth"]
    assert main(["evaluate", NAME, out, *few, "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["training_faces"] + record["held_out_faces"] == 84
    assert record["rows"]["true faces"]["decoupling"]["identity"]["value"] > 0.8
    assert record["data"]["drawn"]["region"] == "face_core"


def test_fit_trains_the_encoder_once(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = load_factored(run)
    save_mesh(tmp_path / "x.ply", model.meshes(model.draw(1, seed=1))[0])

    def quick(model: FactoredModel, **options: Any) -> CodeEncoder:
        return train_encoder(model, steps=2, **options)

    monkeypatch.setattr("geomface.gan.factored_geometry.train_encoder", quick)
    words = ["fit", NAME, str(run), str(tmp_path / "x.ply"), "--steps", "2", "--json"]
    starts = []
    for more in ([], ["--train-encoder"], []):
        assert main([*words, *more, "--out", str(tmp_path / f"f{len(starts)}")]) == 0
        starts.append(json.loads(capsys.readouterr().out)["start"])
    (run / "encoder.safetensors").unlink()
    assert starts == ["zero", "encoder", "encoder"]


def test_model_commands_take_a_run(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["model", "show", "--model", str(run), "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["modes"] == {"shape": 40, "expression": 2}
    assert "expression a" in record["card"]["source"]  # no class is called neutral
    assert main(["model", "export", "--model", str(run), "--out", str(tmp_path / "m.glb")]) == 0
    assert list(read_morph_glb(tmp_path / "m.glb")[1])[-2:] == ["b", "c"]
    record = json.loads((run / "run.json").read_text()) | {"system": "another"}
    (tmp_path / "run.json").write_text(json.dumps(record))
    assert main(["model", "show", "--model", str(tmp_path)]) == 1
    assert "one of 'another'" in capsys.readouterr().err


def test_fit_then_edit(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = load_factored(run)
    grid = draw_grid(model, 2, 2, seed=1)
    for name, mesh in zip(("x", "y"), model.meshes(grid.codes[1:3]), strict=True):
        save_mesh(tmp_path / f"{name}.ply", mesh)
    meshes = [str(tmp_path / f"{name}.ply") for name in ("x", "y")]
    words = ["fit", NAME, str(run), *meshes, "--random-restarts", "2", "--steps", "20"]
    assert main([*words, "--hide", "left", "--out", str(tmp_path / "f"), "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert set(record["errors_mm"]) == {"x", "y"} and 0.3 < record["seen_share"] < 0.7
    assert record["restarts"] == 2 and record["start"] == "random"
    fitted = load_mesh(tmp_path / "f" / "x.ply")
    topology = model.template.mesh.topology_id
    codes = load_codes(tmp_path / "f" / "codes.json", model.spec, topology_id=topology)
    np.testing.assert_allclose(model.vertices(codes["x"])[0], fitted.vertices, atol=1e-4)
    assert load_image(tmp_path / "f" / "fit.png").std() > 0

    people = ["--identity", str(tmp_path / "f" / "codes.json"), "random"]
    words = ["edit", NAME, str(run), *people, "--expression", "b", "--share", "0", "1"]
    assert main([*words, "--out", str(tmp_path / "e"), "--quiet"]) == 0
    own, happy = (load_mesh(tmp_path / "e" / f"person00_expression0{k}.ply") for k in (0, 1))
    np.testing.assert_allclose(own.vertices, fitted.vertices, atol=1e-4)
    wanted = codes["x"].replace(expression=model.code("expression", "b"))
    np.testing.assert_allclose(happy.vertices, model.vertices(wanted)[0], atol=1e-4)
    assert len(list((tmp_path / "e").glob("*.ply"))) == 6

    words = ["edit", NAME, str(run), "--identity", meshes[0], "--expression", meshes[1], "b"]
    assert main([*words, "--add", "--out", str(tmp_path / "t"), "--quiet"]) == 0
    assert len(list((tmp_path / "t").glob("*.ply"))) == 2
    kept = load_mesh(meshes[0])
    assert main([*words, "--share", "0", "--out", str(tmp_path / "k"), "--quiet"]) == 0
    same = load_mesh(tmp_path / "k" / "person00_expression00.ply")
    np.testing.assert_allclose(same.vertices, kept.vertices, atol=1e-4)


def test_meshes_in_metres_and_elsewhere_are_brought_over(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = load_factored(run)
    mesh = model.meshes(model.draw(1, seed=4))[0]
    turn = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    save_mesh(tmp_path / "m.ply", mesh.replace(vertices=mesh.vertices @ turn.T / 1000 + 3))
    words = ["fit", NAME, str(run), str(tmp_path / "m.ply"), "--random-restarts", "1"]
    words += ["--steps", "3", "--out", str(tmp_path / "f"), "--quiet"]
    assert main(words) == 1
    assert "--align" in capsys.readouterr().err and not (tmp_path / "f").exists()
    assert main([*words, "--align", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["errors_mm"]["m"] < 30
    save_mesh(tmp_path / "n.ply", mesh.replace(vertices=mesh.vertices + [14.0, 0.0, 0.0]))
    words[3] = str(tmp_path / "n.ply")
    for extra, told in (([], True), (["--align"], False)):
        assert main([*words[:-1], *extra]) == 0
        assert ("add --align" in capsys.readouterr().err) == told


BAD = {
    "train": [
        ("--factors identity=0", "1 to 4096"),
        ("--factors identity", "identity=65,expression=15"),
        ("--factors identity=--5", "identity=65,expression=15"),
        ("--data nowhere", "nowhere"),
        ("--people 1", "at least two classes"),
        ("--people 4 --faces 3 --labelled 0", "Label more"),
        ("--factors identity=5,age=3", "identity and expression"),
        ("--region sky", "narrow_face"),
        ("--data {data} --people 4", "not drawn"),
        ("--data {data} --factors identity=5,age=3", "age"),
        ("--labels table.csv", "know their labels"),
        ("--data {data} --labels {tables}/lost.csv", "gone.ply"),
        ("--data {data} --labels {tables}/columns.csv", "mood"),
        ("--data {data} --labels {tables}/once.csv", "at least 2 labelled faces"),
        ("--data {data} --labels {tables}/alone.csv", "at least two classes"),
        ("--data {data} --labels {tables}/none.csv", "none.csv"),
        ("--data {face}", "face.ply"),
        ("--steps 0", "steps"),
        ("--held-out 1", "--held-out"),
        ("--noise -1", "noise"),
        ("--size 20", "power of two"),
    ],
    "fit": [
        ("{run} nowhere.ply", "nowhere.ply"),
        ("{run}", "got none"),
        ("{run} {other}", "topology"),
        ("{run} {face} {face}", "of this name"),
        ("{run} {face} --hide sky", "left, right, upper, lower"),
        ("{run} {face} --hide left right upper lower", "nothing of the face is left"),
        ("{run} {face} --steps 0", "steps"),
        ("{run} {face} --out {folder}", "expected an empty folder"),
        ("{run} {face} --format", "obj, ply, glb"),
        ("{run} {face} --random-restarts 0", "restarts"),
        ("{run} {face} --prior -1", "prior"),
        ("{data} {face}", "run.json"),
    ],
    "edit": [
        ("{run} --identity {face} --expression joy", "a, b, c"),
        ("{run} --identity nowhere.ply --expression b", "nowhere.ply"),
        ("{run} --identity {bad} --expression b", "codes of faces"),
        ("{run} --identity random --expression b --share nan", "--share"),
        ("{run} --identity random --expression b --share 1e9", "--share"),
        ("{run} --identity random --expression b --seed -1", "--seed"),
        ("{run} --identity random --expression b --factor age", "identity, expression"),
    ],
    "sample": [
        ("{run} --people 0", "1 or more"),
        ("{run} --expressions 0", "1 or more"),
        ("{run} --people 1000000", "at most"),
        ("{run} --expressions 100000000", "at most"),
        ("{run} --seed -1", "--seed"),
        ("{run} --format", "obj, ply, glb"),
        ("{run} --out {face}", "is a file"),
        ("{run} --alpha 0", "alpha"),
        ("{face}", "face.ply"),
        ("{data}", "run.json"),
    ],
    "evaluate": [("{run} --data builtin", "topology"), ("nowhere", "nowhere")],
}


def test_codes_of_another_run_are_refused(
    data: Path, run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other"
    words = ["--data", str(data), "--held-out", "0.4", "--out", str(other), "--seed", "1"]
    assert main([*TRAIN, *words]) == 0
    model = load_factored(run)
    codes = tmp_path / "codes.json"
    topology, own = model.template.mesh.topology_id, generator_identity(model.generator)
    save_codes(codes, model.draw(1), ["anna"], topology_id=topology, generator=own)
    edit = ["--identity", str(codes), "--expression", "a", "--out", str(tmp_path / "e"), "--quiet"]
    assert main(["edit", NAME, str(other), *edit]) == 1
    assert "another" in capsys.readouterr().err and not (tmp_path / "e").exists()


@pytest.fixture(scope="module")
def tables(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Label tables, each wrong in its own way."""
    folder = tmp_path_factory.mktemp("tables")
    head, *rows = (data / "labels.csv").read_text().splitlines()
    files = [row.split(",")[0] for row in rows]
    people = [row.split(",")[1] for row in rows]
    both = list(zip(files, people, strict=True))
    texts = {
        "lost": [head, *rows, "gone.ply,anna,a"],
        "columns": [f"{head},mood", *(f"{row},good" for row in rows)],
        "once": [head, *(f"{f},{p},{'b' if i == 0 else 'a'}" for i, (f, p) in enumerate(both))],
        "alone": [head, *(f"{file},anna,a" for file in files)],
    }
    for name, lines in texts.items():
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n")
    return folder


@pytest.mark.parametrize(
    ("verb", "words", "sentence"),
    [(verb, words, sentence) for verb, cases in BAD.items() for words, sentence in cases],
)
def test_bad_input_is_one_sentence_and_writes_nothing(
    verb: str,
    words: str,
    sentence: str,
    run: Path,
    data: Path,
    tables: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    model = load_factored(run)
    save_mesh(tmp_path / "face.ply", model.meshes(model.draw(1))[0])
    other = model.template.mesh
    save_mesh(tmp_path / "other.ply", other.replace(faces=other.faces[1:], uv_faces=None, uv=None))
    (tmp_path / "bad.json").write_text("{}")
    files = {"face": tmp_path / "face.ply", "other": tmp_path / "other.ply"}
    given = words.format(
        run=run, data=data, bad=tmp_path / "bad.json", tables=tables, folder=tmp_path, **files
    ).split()
    first = ["--recipe", "tiny"] if verb == "train" else []
    place = [] if "--out" in given else ["--out", str(tmp_path / "out")]
    if verb == "evaluate":
        place = ["--report", str(tmp_path / "e.json")]
    before = sorted(tmp_path.rglob("*"))
    assert main([verb, NAME, *first, *given, *place, "--quiet"]) == 1
    message = capsys.readouterr().err
    assert message.startswith("error: ") and sentence in message and "Traceback" not in message
    assert sorted(tmp_path.rglob("*")) == before


def test_results_are_not_mixed(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for words in (
        ["sample", NAME, str(run), "--people", "1", "--expressions", "1"],
        ["edit", NAME, str(run), "--identity", "random", "--expression", "b"],
    ):
        words += ["--out", str(tmp_path / words[0]), "--quiet"]
        assert main(words) == 0
        for extra in ([], ["--dry-run"]):
            assert main([*words, *extra]) == 1
            assert "earlier result" in capsys.readouterr().err


def test_stand_ins_of_the_model_that_ships_and_of_other_factors(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(linear, "SAMPLES", 60)
    stand_in = load_face_model("shipped")
    assert stand_in.mesh.topology_id == load_factored().template.mesh.topology_id
    model = load_factored(run)
    mood = tuple(dataclasses.replace(item, name=item.name[::-1]) for item in model.spec.factors)
    other = dataclasses.replace(model, spec=dataclasses.replace(model.spec, factors=mood))
    monkeypatch.setattr(model_module, "load_factored", lambda path: other)
    face_models._stand_in.cache_clear()
    with pytest.raises(SettingsError, match="ytitnedi, noisserpxe"):
        load_face_model(run)


def test_dry_runs_write_nothing(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(tmp_path / "out")
    for words in (
        [*TRAIN[:-3], "--out", out],
        ["sample", NAME, str(run), "--out", out],
        ["edit", NAME, str(run), "--identity", "random", "--expression", "b", "--out", out],
        ["evaluate", NAME, str(run), "--report", str(tmp_path / "e.json")],
    ):
        assert main([*words, "--dry-run"]) == 0
        assert "Nothing was written" in capsys.readouterr().out
    assert not list(tmp_path.iterdir())


def test_the_model_that_ships_draws_people(tmp_path: Path) -> None:
    words = ["sample", NAME, "--people", "1", "--expressions", "1", "--out", str(tmp_path / "o")]
    assert main([*words, "--quiet"]) == 0
    face = load_mesh(tmp_path / "o" / "person00_expression00.ply")
    assert face.topology_id == load_factored().template.mesh.topology_id


def test_source_records(data: Path) -> None:
    drawn = LabelledFacesSettings(people=3, faces=2, strength=(0.5, 1.0))
    source = find_source(drawn=drawn)
    assert source.drawn is not None and source.drawn.region is None
    again = recorded_source(json.loads(json.dumps(source.record())))
    assert again == source and recorded_source({}) is None
    whole = find_source(drawn=dataclasses.replace(drawn, region="all"))
    assert whole == source
    cut = find_source(drawn=dataclasses.replace(drawn, region="narrow_face"))
    world, source = cut.world(), cut
    assert world is not None and world.mesh.topology_id == source.read().template.mesh.topology_id
    assert find_source(str(data)).read().classes["expression"] == ("a", "b", "c")


def test_factors_and_grids_are_read() -> None:
    assert read_factors("who=3, what=2") == (Factor("who", 3), Factor("what", 2))
    pictures = [np.full((10, 12, 3), value, np.float32) for value in (0.0, 0.2, 0.4, 0.6)]
    sheet = labelled_grid(pictures, ["one", "two"], ["", ""])
    assert sheet.shape == (10 * 2 + 4 * 3 + 28, 12 * 2 + 4 * 3, 3)
    assert (sheet[28 + 4 : 28 + 14, 4:16] == 0.0).all() and sheet[:28].min() < 0.5
    assert labelled_grid(pictures, ["one", "two"], ["x", "y"]).shape[1] > sheet.shape[1]
