"""What is no input of a translation, through train, sample and evaluate: one sentence each."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from translation_cases import build_embedder, train_briefly

from geomface.cli.main import main
from geomface.errors import FileFormatError
from geomface.files import save_image
from geomface.gan.render_to_photo import known_renders
from geomface.pipeline import FaceSetSettings, generate_faces
from geomface.pipeline.aligned_sets import AlignedSetSettings, align_set
from geomface.pipeline.translated_part import _beyond
from geomface.recognition import Alignment, save_embedder
from geomface.synthesis import FaceImageSettings

SMALL = Alignment(16, 16)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short run and its embedder, sets that do and sets that do not."""
    folder = tmp_path_factory.mktemp("bad")
    train_briefly(folder / "run")
    save_embedder(folder / "e.safetensors", build_embedder())
    for name, size, outputs in (("synth", 48, ("rgb", "alpha")), ("sixty", 60, ("rgb",))):
        images = FaceImageSettings(identities=3, samples=2, size=size, outputs=outputs)
        generate_faces(FaceSetSettings(images, folder / name))
    for name, source, alignment, masked in (
        ("S", "synth", SMALL, True),
        ("R", "sixty", SMALL, False),
        ("odd", "synth", Alignment(18, 18), True),
    ):
        align_set(AlignedSetSettings(folder / source, folder / name, alignment, masked=masked))
    (folder / "text").mkdir()
    (folder / "text/a.txt").write_text("hello")
    (folder / "broken.safetensors").write_bytes((folder / "e.safetensors").read_bytes()[:200])
    return folder


def said(capsys, words: list[str]) -> str:
    """Run a command that is refused and return the one sentence that it says."""
    assert main([*words, "--quiet"]) == 1, words
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1 and lines[0].startswith("error: "), lines
    return lines[0]


def train_words(root: Path, out: Path, **places: str) -> list[str]:
    given = {"renders": "S", "photographs": "R", "pairs": "S S"} | places
    words = ["train", "render_to_photo", "--recipe", "tiny", "--device", "cpu", "--steps", "2"]
    for name, place in given.items():
        words += [f"--{name}", *(str(root / part) for part in place.split())]
    return [*words, "--out", str(out)]


@pytest.mark.parametrize(
    ("places", "told"),
    [
        ({"pairs": "S R"}, "halves of one size, aligned by the same landmarks"),
        ({"photographs": "synth"}, "expected the file of a set of aligned faces"),
        ({"photographs": "text"}, "aligned"),
        ({"photographs": "none"}, "none"),
        ({"renders": "odd", "photographs": "odd", "pairs": "odd odd"}, "multiple of 4 from 16"),
        ({"embedder": "S"}, "embedder"),
        ({"embedder": "broken.safetensors"}, "broken.safetensors"),
    ],
)
def test_trainings_are_refused(root: Path, tmp_path: Path, capsys, places, told: str) -> None:
    assert told in said(capsys, train_words(root, tmp_path / "run", **places))
    assert not (tmp_path / "run").exists()


def test_photographs_without_faces_are_refused(root: Path, tmp_path: Path, capsys) -> None:
    rng = np.random.default_rng(0)
    (tmp_path / "noise").mkdir()
    for name in "abc":
        save_image(tmp_path / f"noise/{name}.png", rng.random((40, 40, 3), np.float32))
    words = ["recognise", "align", "--images", str(tmp_path / "noise"), "--size", "16x16"]
    assert main([*words, "--out", str(tmp_path / "R"), "--quiet"]) == 3
    capsys.readouterr()
    words = train_words(root, tmp_path / "run", photographs=str(tmp_path / "R"))
    assert "face" in said(capsys, words) and not (tmp_path / "run").exists()


def test_renders_without_alpha_have_no_masks(root: Path, tmp_path: Path, capsys) -> None:
    words = ["recognise", "align", "--images", str(root / "sixty"), "--masks", "--size", "16x16"]
    assert "alpha" in said(capsys, [*words, "--out", str(tmp_path / "S")])
    assert not (tmp_path / "S").exists()


def test_embedders_of_any_alignment_and_size_will_do(root: Path, tmp_path: Path) -> None:
    """What they want is cut from the pictures; see `view_aligned`."""
    words = train_words(root, tmp_path / "run", embedder="e.safetensors")
    assert main([*words, "--quiet"]) == 0


def test_labels_that_skip_numbers_are_mapped_and_noted(root: Path, tmp_path: Path, capsys) -> None:
    shutil.copytree(root / "S", tmp_path / "S")
    for path in (tmp_path / "S").rglob("manifest.jsonl"):
        path.write_text(path.read_text().replace('"person": "2"', '"person": "17"'))
    words = train_words(root, tmp_path / "run", renders=str(tmp_path / "S"))
    assert main([*words, "--json"]) == 0
    told = capsys.readouterr()
    assert '"people": 3' in told.out and "go up to 17" in told.out + told.err


def test_a_run_goes_on_with_its_own_streams_only(root: Path, tmp_path: Path, capsys) -> None:
    out = tmp_path / "run"
    assert main([*train_words(root, out), "--quiet"]) == 0
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    for places in ({"photographs": "S"}, {"renders": str(root / "S2")}, {"pairs": "R R"}):
        if "S2" in str(places):
            shutil.copytree(root / "S", root / "S2", dirs_exist_ok=True)
            for path in (root / "S2").rglob("manifest.jsonl"):
                path.write_text(path.read_text().replace('"person": "2"', '"person": "1"'))
        words = train_words(root, out, **places)
        words[words.index("--steps") + 1] = "3"
        assert str(out) in said(capsys, words), places
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    ("run", "places", "told"),
    [
        ("run", {"set": "none"}, "none"),
        ("run", {"set": "text"}, "expected photographs"),
        ("run", {"set": "S"}, "expected the file of a set of synthetic faces"),
        ("none", {"set": "synth"}, "none"),
        ("text", {"set": "synth"}, "text"),
        ("e.safetensors", {"set": "synth"}, "e.safetensors"),
        ("broken.safetensors", {"set": "synth"}, "broken.safetensors"),
        ("run", {"set": "synth", "embedder": "broken.safetensors"}, "broken.safetensors"),
        ("run", {"set": "synth", "embedder": "text"}, "text"),
    ],
)
def test_translations_are_refused(
    root: Path, tmp_path: Path, capsys, run: str, places: dict[str, str], told: str
) -> None:
    words = ["sample", "render_to_photo", str(root / run), "--out", str(tmp_path / "out")]
    for name, place in places.items():
        words += [f"--{name}", str(root / place)]
    assert told in said(capsys, words)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("option", ["--realism=nan", "--cycle=-1", "--identity=2", "--workers=0"])
def test_options_out_of_range_are_refused(root: Path, tmp_path: Path, capsys, option: str) -> None:
    words = ["sample", "render_to_photo", str(root / "run"), "--set", str(root / "synth")]
    line = said(capsys, [*words, "--out", str(tmp_path / "out"), option])
    assert option.partition("=")[0] in line and not (tmp_path / "out").exists()


def test_folders_of_something_else_are_left_alone(root: Path, tmp_path: Path, capsys) -> None:
    words = ["sample", "render_to_photo", str(root / "run"), "--set", str(root / "synth")]
    (tmp_path / "full").mkdir()
    (tmp_path / "full/mine.txt").write_text("mine")
    for out, told in ((tmp_path / "full", "full"), (root / "synth" / "in", "lies among")):
        assert told in said(capsys, [*words, "--out", str(out)])
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["mine.txt"]


def test_a_picture_that_cannot_be_read_is_listed_and_the_others_go_on(
    root: Path, tmp_path: Path, capsys
) -> None:
    shutil.copytree(root / "synth", tmp_path / "synth")
    path = next((tmp_path / "synth").rglob("*.rgb.png"))
    path.write_bytes(path.read_bytes()[:60])
    words = ["sample", "render_to_photo", str(root / "run"), "--set", str(tmp_path / "synth")]
    assert main([*words, "--out", str(tmp_path / "out"), "--quiet"]) == 3
    assert path.name in (tmp_path / "out/failures.jsonl").read_text()
    assert len((tmp_path / "out/manifest.jsonl").read_text().splitlines()) == 5
    assert "Traceback" not in capsys.readouterr().err


def test_a_limit_that_nothing_meets_is_told(root: Path, tmp_path: Path, capsys) -> None:
    words = ["sample", "render_to_photo", str(root / "run"), "--set", str(root / "synth")]
    assert main([*words, "--out", str(tmp_path / "out"), "--cycle", "1e-9", "--quiet"]) == 3
    assert "Traceback" not in capsys.readouterr().err
    assert len((tmp_path / "out/failures.jsonl").read_text().splitlines()) == 6


@pytest.mark.parametrize(
    ("places", "more", "told"),
    [
        ({"renders": "odd"}, [], "expected faces aligned as five-points-16x16"),
        ({"photographs": "none"}, [], "none"),
        ({"pairs": "S R"}, [], "halves of one size"),
        ({"set": "S"}, [], "expected the file of a set of synthetic faces"),
        ({"embedder": "broken.safetensors"}, [], "broken.safetensors"),
        ({}, ["--figure", "f.json"], "--figure"),
        ({}, ["--report", "r.png"], "--report"),
    ],
)
def test_evaluations_are_refused(
    root: Path, capsys, places: dict[str, str], more: list[str], told: str
) -> None:
    words = ["evaluate", "render_to_photo", str(root / "run")]
    for name, place in ({"renders": "S", "photographs": "R"} | places).items():
        words += [f"--{name}", *(str(root / part) for part in place.split())]
    assert told in said(capsys, [*words, *more])
    assert not list((root / "run").glob("evaluation*"))


def stored(root: Path) -> tuple[dict[str, str], dict[str, torch.Tensor]]:
    """Return the header and the tensors of the run's checkpoint."""
    with safe_open(next((root / "run/checkpoints").glob("*.safetensors")), "pt") as file:
        return file.metadata(), {name: file.get_tensor(name) for name in file.keys()}


def test_translators_that_do_not_do_are_refused(root: Path, tmp_path: Path, capsys) -> None:
    """A training that went astray, and pictures of another size than the networks'."""
    told, tensors = stored(root)
    other = {
        key: text.replace("five-points-16x16", "five-points-32x32") for key, text in told.items()
    }
    assert other != told
    save_file(tensors, tmp_path / "other.safetensors", other)
    for name, tensor in tensors.items():
        if "generator_ema" in name and tensor.is_floating_point():
            tensor.fill_(float("nan"))
    save_file(tensors, tmp_path / "astray.safetensors", told)
    for name, why in (("astray", "finite"), ("other", "16 pixels of the networks")):
        words = ["sample", "render_to_photo", str(tmp_path / f"{name}.safetensors")]
        line = said(capsys, [*words, "--set", str(root / "synth"), "--out", str(tmp_path / "out")])
        assert why in line and name in line and not (tmp_path / "out").exists()


def test_worth_that_is_no_number_meets_no_limit() -> None:
    worth = {"realism": float("nan"), "cycle": 0.2, "identity": float("nan")}
    assert len(_beyond(worth, {"realism": 0.5, "cycle": 0.5, "identity": -0.5})) == 2


def test_other_pictures_than_plain_renders_are_noted(root: Path, tmp_path: Path, capsys) -> None:
    """The reader of a folder of pictures cannot know that they are renders."""
    images = FaceImageSettings(identities=1, samples=1, size=48, outputs=("rgb",), preset="photo")
    generate_faces(FaceSetSettings(images, tmp_path / "photo"))
    (tmp_path / "folder").mkdir()
    picture = next((tmp_path / "photo").rglob("*.png"))
    shutil.copy(picture, tmp_path / "folder/a.png")
    words = ["sample", "render_to_photo", str(root / "run"), "--dry-run"]
    for name, told in (
        ("photo", "preset plain, got photo"),
        ("folder", "got a folder of pictures"),
    ):
        words = [*words[:4], "--set", str(tmp_path / name), "--out", str(tmp_path / "out")]
        assert main(words) == 0
        assert told in capsys.readouterr().err
    assert main([*words[:4], "--set", str(root / "synth"), "--out", str(tmp_path / "out")]) == 0
    assert "expected" not in capsys.readouterr().err


def test_memory_that_does_not_suffice_is_one_sentence(root: Path, tmp_path: Path, capsys) -> None:
    """Torch has its own error for it; no machine has 10^18 bytes."""
    words = [*train_words(root, tmp_path / "run"), "--width", "100000000"]
    assert "memory of this machine" in said(capsys, words)
    assert not (tmp_path / "run").exists()


def test_more_pictures_than_there_are_is_all_of_them(root: Path) -> None:
    assert len(known_renders(root / "synth", SMALL, 10**12)) == 6


@pytest.mark.parametrize("light", [None, [[1, 2, 3]], [["a", 0, 0]] * 9, [[float("nan")] * 3] * 9])
def test_lights_that_are_none_are_refused(root: Path, tmp_path: Path, light) -> None:
    shutil.copytree(root / "synth", tmp_path / "synth")
    path = tmp_path / "synth/manifest.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    del rows[0]["parameters"]["light"]
    if light is not None:
        rows[0]["parameters"]["light"] = light
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(FileFormatError, match="the light of 000000_00000"):
        known_renders(tmp_path / "synth", SMALL, 2)
