"""`geomface train render_to_photo` from sets on disk, resumed, and on sets that do not do."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from geomface.cli.main import main
from geomface.errors import GeomfaceError
from geomface.gan.render_to_photo import load_translator, pair_faces, read_streams
from geomface.learning import DatasetError, read_metrics
from geomface.pipeline import FaceSetSettings, generate_faces
from geomface.pipeline.aligned_sets import AlignedSetSettings, align_set
from geomface.recognition import Alignment, aligned_faces, five_points, load_aligned
from geomface.synthesis import FaceImageSettings

SMALL = Alignment(16, 16)


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Renders with masks, the same without, two of them alone, and the same at another size."""
    root = tmp_path_factory.mktemp("sets")
    images = FaceImageSettings(identities=3, samples=2, size=48, outputs=("rgb", "alpha"))
    generate_faces(FaceSetSettings(images, root / "synth"))
    for name, masked, alignment in (
        ("renders", True, SMALL),
        ("bare", False, SMALL),
        ("large", False, Alignment(20, 20)),
        ("flat", True, Alignment(16, 20)),
    ):
        align_set(AlignedSetSettings(root / "synth", root / name, alignment, masked=masked))
    few = FaceImageSettings(identities=1, samples=1, size=48, outputs=("rgb",))
    generate_faces(FaceSetSettings(few, root / "one"))
    align_set(AlignedSetSettings(root / "one", root / "single", SMALL))
    return root


def words_of(root: Path, out: Path, *more: str, **places: str) -> list[str]:
    given = {"renders": "renders", "photographs": "bare", "pairs": "renders bare"} | places
    words = ["train", "render_to_photo", "--recipe", "tiny", "--device", "cpu", "--out", str(out)]
    for name, place in given.items():
        if place:
            words += [f"--{name}", *(str(root / part) for part in place.split())]
    return [*words, *more]


@pytest.fixture(scope="module")
def trained(sets: Path) -> Path:
    """A run of two steps, which shares nothing with others."""
    assert main(words_of(sets, sets / "run", "--steps", "2", "--quiet")) == 0
    return sets / "run"


def test_a_set_is_translated_with_its_people(sets: Path, trained: Path, tmp_path: Path) -> None:
    words = ["sample", "render_to_photo", str(trained), "--set", str(sets / "synth")]
    words += ["--part-pictures", "2", "--quiet"]
    for name, workers in (("one", "1"), ("two", "2")):
        assert main([*words, "--out", str(tmp_path / name), "--workers", workers]) == 0
    made, renders = load_aligned(tmp_path / "one"), load_aligned(sets / "renders")
    assert made.names == renders.names and made.people.names == renders.people.names
    assert made.alignment == SMALL and not np.array_equal(made.images[:], renders.images[:])
    for path in sorted((tmp_path / "one").rglob("*")):
        if path.suffix in (".npy", ".jsonl") and "records" not in path.parts:
            twin = tmp_path / "two" / path.relative_to(tmp_path / "one")
            assert path.read_bytes() == twin.read_bytes(), path
    quality = [row.quality for row in made.rows]
    assert all(set(item) == {"realism", "cycle", "identity"} for item in quality)
    assert all(-1 <= item["identity"] <= 1 for item in quality)
    # Landmarks are carried over into the picture: its five points lie where they belong.
    for row in made.rows:
        five = five_points(np.array(row.points))
        off = np.sqrt(((five - SMALL.points) ** 2).sum(1).mean())
        assert off == pytest.approx(row.off, abs=2e-3)
    middle = float(np.median([item["cycle"] for item in quality]))
    limit = ["--cycle", str(middle), "--out", str(tmp_path / "best")]
    assert main([*words, *limit]) == 3
    best = load_aligned(tmp_path / "best")
    assert all(row.quality["cycle"] <= middle for row in best.rows)
    assert len(best) + len(best.failures) == 6 and "cycle" in next(iter(best.failures.values()))


def test_a_translation_is_measured_beside_the_renders(
    sets: Path, trained: Path, tmp_path: Path, capsys
) -> None:
    words = ["evaluate", "render_to_photo", str(trained), "--renders", str(sets / "renders")]
    words += ["--report", str(tmp_path / "report.json")]
    paired = ["--pairs", str(sets / "renders"), str(sets / "bare")]
    read = ["--set", str(sets / "synth"), "--most", "1"]
    assert main([*words, "--photographs", str(sets / "bare"), *paired, *read]) == 0
    found = json.loads((tmp_path / "report.json").read_text())
    assert found["pictures"] == found["pairs"] == 6 and found["render_error"] == 0
    assert found["pair_error"] > 0.1 and 0 <= found["people_renders"]["auc"] <= 1
    assert found["people_photographs"] == found["people_renders"]  # which are the same pictures
    assert found["people_translated"]["same"]["pairs"] == 3
    assert (tmp_path / "report.png").read_bytes().startswith(b"\x89PNG")
    # The photographs are the renders here: nothing comes nearer to them than these.
    assert found["translated"]["kernel"] > found["renders"]["kernel"]
    assert found["read_back"]["pictures"] == 1 and 0 <= found["read_back"]["renders"]["found"] <= 1
    said = capsys.readouterr().out
    assert "6 pairs" in said and "light told" in said
    for photographs, told in (("single", "expected 4 pictures"), ("large", "five-points-16x16")):
        assert main([*words, "--photographs", str(sets / photographs)]) == 1
        assert told in capsys.readouterr().err


def test_what_cannot_be_translated_is_one_sentence(
    sets: Path, trained: Path, tmp_path: Path, capsys
) -> None:
    out = tmp_path / "set"
    words = ["sample", "render_to_photo", "--out", str(out), "--set"]
    assert main([*words, str(sets / "synth"), str(tmp_path / "none")]) == 1
    assert main([*words, str(tmp_path / "none"), str(trained)]) == 1
    said = capsys.readouterr().err.strip().splitlines()
    assert len(said) == 2 and all("none" in line for line in said) and not out.exists()
    assert main([*words, str(sets / "synth"), str(trained), "--dry-run"]) == 0 and not out.exists()


def test_a_translator_names_the_shape_that_it_wants(trained: Path) -> None:
    translator = load_translator(trained)
    pictures = np.random.default_rng(0).random((3, 16, 16, 3), np.float32)
    made = translator.translate(pictures, ["a", "b", "c"])
    assert made.pictures.shape == pictures.shape and made.realism.shape == (3,)
    alone = translator.translate(pictures[1:2], ["b"])
    np.testing.assert_allclose(alone.pictures[0], made.pictures[1], atol=1e-5)
    other = translator.translate(pictures, ["a", "b", "c"], seed=1)
    assert not np.array_equal(other.pictures, made.pictures), "another seed drops other things"
    with pytest.raises(GeomfaceError, match="renders"):
        translator.translate(pictures[:, :12], ["a", "b", "c"])
    assert translator.translate(pictures[:0], []).pictures.shape == (0, 16, 16, 3)


def test_a_run_is_trained_and_goes_on(sets: Path, tmp_path: Path, capsys) -> None:
    words = words_of(sets, tmp_path / "run", "--held-out", "0.4", "--json")
    assert main([*words, "--steps", "3"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["steps"] == 3 and record["people"] == 3 and record["renders"] == 6
    assert record["pairs"] + record["held_out_pairs"] == 6 and record["held_out_pairs"] > 0
    assert {"identity", "cycle", "balance/pairs", "measure/photographs"} <= set(record["metrics"])
    assert main([*words, "--steps", "5"]) == 0
    capsys.readouterr()
    assert [line["step"] for line in read_metrics(tmp_path / "run" / "metrics.jsonl")][-1] == 5
    measured = read_metrics(tmp_path / "run" / "evaluations.jsonl")
    assert [line["step"] for line in measured] == [3, 5]
    assert all(line["held_out/photographs"] > 0 for line in measured)
    assert list((tmp_path / "run" / "samples").glob("*.png"))
    assert main([*words, "--steps", "6", "--arm", "no-pairs"]) == 1
    assert "weights.pairs" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("places", "more", "told"),
    [
        ({"pairs": ""}, [], "--pairs: expected two sets for the arm full, got none"),
        ({"renders": "bare"}, [], "masks that show where the face is"),
        ({"photographs": "single"}, [], "photographs: expected 2 pictures or more, got 1"),
        ({"photographs": "large"}, [], "expected faces aligned as five-points-16x16"),
        ({"pairs": "renders single"}, [], "5 of which have no other half"),
        ({"pairs": "renders large"}, [], "expected faces aligned as five-points-16x16"),
        ({"renders": "flat"}, [], "square pictures, got 16x20"),
        ({}, ["--held-out", "0.99999"], "Lower it"),
        ({}, ["--arm", "no-identity", "--embedder", "e.safetensors"], "no loss of identity"),
        ({}, ["--embedder", "none.safetensors"], "none.safetensors"),
    ],
)
def test_sets_that_do_not_do_are_one_sentence(
    sets: Path, tmp_path: Path, capsys, places: dict[str, str], more: list[str], told: str
) -> None:
    assert main(words_of(sets, tmp_path / "run", *more, **places)) == 1
    said = capsys.readouterr().err.strip().splitlines()
    assert said[-1].startswith("error: ") and told in said[-1]
    assert not (tmp_path / "run").exists()


def test_pairs_are_found_by_name_whatever_its_ending() -> None:
    pictures = np.random.default_rng(0).random((3, 16, 16, 3), np.float32)
    names = ["a/1.png", "a/2.png", "b.c"]
    renders = aligned_faces(pictures, ["", "", ""], SMALL, names)
    photographs = aligned_faces(pictures[::-1], ["", "", ""], SMALL, ["b.c", "a/2.jpg", "a/1.JPG"])
    pairs = pair_faces(renders, photographs)
    batch = pairs.batch(torch.arange(3))
    assert torch.equal(batch["renders"], batch["photographs"]) and len(pairs.fingerprint()) == 3
    data = read_streams(renders, photographs, pairs)
    assert data.held_out is None and data.people == 0
    twice = aligned_faces(pictures[:2], ["", ""], SMALL, ["a.png", "a.jpg"])
    with pytest.raises(DatasetError, match="each name once"):
        pair_faces(twice, twice)


def test_halves_of_another_place_are_refused(sets: Path) -> None:
    renders = load_aligned(sets / "renders")
    moved = load_aligned(sets / "bare")
    for row in moved.rows[2:3]:
        object.__setattr__(row, "pixels", 1.1 * row.pixels)
    with pytest.raises(GeomfaceError, match="halves of one size, aligned by the same landmarks"):
        pair_faces(renders, moved)
