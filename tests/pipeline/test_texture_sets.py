"""Training sets of textures on disk: the same bytes always, resumed, grown, refused, trained on."""

import dataclasses
import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from geomface.batch.attempts import ItemTask, Outcome
from geomface.batch.events import JobEvent
from geomface.datasets import load_geometry_images, load_textures
from geomface.errors import LandmarkError, OutputError, RegistrationError, SettingsError
from geomface.faces.albedo_code import ALBEDO_SIZE
from geomface.files import load_image
from geomface.files.tensors import load_tensors
from geomface.mesh.io import load_mesh
from geomface.pipeline import make_textures, plan_job, texture_job
from geomface.pipeline.texture_face import (
    TRUTH_KIND,
    TRUTH_SCHEMA,
    draw_damage,
    make_textured_face,
)
from geomface.pipeline.texture_settings import (
    DamageSettings,
    TextureItemSettings,
    TextureScanSettings,
    TextureSetSettings,
)

ITEM = TextureItemSettings(
    seed=0,
    size=32,
    scan=TextureScanSettings(vertices=2500),
    damage=DamageSettings(covered=0.5, torn=0.5, torn_fraction=(0.1, 0.2)),
)
COUNT = 4


def settings(out: Path, **change: object) -> TextureSetSettings:
    return dataclasses.replace(TextureSetSettings(out, COUNT, item=ITEM), **change)


def tree(folder: Path) -> dict[str, str]:
    """Hash of every file but records and the template's report, which hold times."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.parent.name != "records" and path.name != "unwrap.json"
    }


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("textures") / "set"
    report = make_textures(settings(out))
    assert (report.done, report.made, report.failed, report.exit_code) == (COUNT, COUNT, 0, 0)
    return out


def rows_of(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "manifest.jsonl").read_text().splitlines()]


def test_the_same_bytes_for_one_and_two_workers(whole: Path, tmp_path: Path) -> None:
    make_textures(settings(tmp_path / "set", workers=2))
    assert tree(tmp_path / "set") == tree(whole)


def test_what_is_done_is_not_done_again(whole: Path, tmp_path: Path) -> None:
    out = tmp_path / "set"
    shutil.copytree(whole, out)
    before = tree(out)
    assert make_textures(settings(out)).made == 0 and tree(out) == before
    # A run that was killed: a face is gone, a true texture of another, litter lies about.
    shutil.rmtree(out / "items" / "000001")
    (out / "truth" / "000002.png").unlink()
    (out / "manifest.jsonl").unlink()
    (out / "items" / ".000003.dead.part.folder").mkdir()
    assert plan_job(texture_job(settings(out))).sentence() == "2 of 4 faces to do; 2 done"
    events: list[JobEvent] = []
    report = make_textures(settings(out), on_event=events.append)
    assert report.made == 2 and report.done == COUNT and tree(out) == before
    done = [event for event in events if event.kind == "done"]
    assert [event.name for event in done] == ["000001", "000002"]
    assert done[0].total == 2 and done[0].seconds_left is not None


def test_more_faces_add_to_a_set(whole: Path, tmp_path: Path) -> None:
    out = tmp_path / "set"
    make_textures(settings(out, count=1))
    assert make_textures(settings(out, count=2)).made == 1
    first = {name: value for name, value in tree(whole).items() if "00000" in name}
    grown = {name: value for name, value in tree(out).items() if "00000" in name}
    assert grown.items() <= first.items()
    with pytest.raises(OutputError, match="holds a set of 2 faces, more than the 1 asked for"):
        make_textures(settings(out, count=1))


def test_other_settings_are_refused_and_named(whole: Path, tmp_path: Path) -> None:
    before = tree(whole)
    scan = dataclasses.replace(ITEM.scan, vertices=3000)
    other = dataclasses.replace(ITEM, seed=4, size=64, scan=scan)
    with pytest.raises(OutputError, match="seed was 0, now 4") as caught:
        make_textures(settings(whole, item=other))
    assert "size was 32, now 64" in str(caught.value)
    assert "scan.vertices was 2500, now 3000" in str(caught.value)
    assert tree(whole) == before
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(OutputError, match="it holds letter.txt"):
        make_textures(settings(tmp_path))
    with pytest.raises(OutputError, match="expected a folder, got a file"):
        make_textures(settings(tmp_path / "letter.txt"))
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "set.json").write_text('{"kind": "cake"}')
    with pytest.raises(OutputError, match=r"holds set.json of something else"):
        make_textures(settings(tmp_path / "other"))


def test_a_failed_face_is_a_sentence_and_the_others_go_on(whole: Path, tmp_path: Path) -> None:
    def work(task: ItemTask, folder: Path) -> Outcome:
        if task.payload.index == 1:
            raise RegistrationError("face 1 has no nose.")
        return copy_of(whole)(task, folder)

    out = tmp_path / "set"
    report = make_textures(settings(out), work=work)
    assert (report.done, report.failed, report.exit_code) == (COUNT - 1, 1, 3)
    assert report.reasons == ("face 000001: face 1 has no nose.",)
    lines = (out / "failures.jsonl").read_text().splitlines()
    assert json.loads(lines[0]) == {"name": "000001", "message": "face 1 has no nose."}
    assert [row["name"] for row in rows_of(out)] == ["000000", "000002", "000003"]
    # It is not tried again unless that is asked for.
    assert "1 failed before" in plan_job(texture_job(settings(out))).sentence()
    assert make_textures(settings(out), work=copy_of(whole)).failed == 1
    report = make_textures(settings(out, retry_failed=True), work=copy_of(whole))
    assert (report.done, report.made, report.failed) == (COUNT, 1, 0)
    assert not (out / "failures.jsonl").exists()


def copy_of(whole: Path):
    """Work that takes each face from a finished set."""

    def work(task: ItemTask, folder: Path) -> Outcome:
        shutil.copytree(whole / "items" / task.name, folder, dirs_exist_ok=True)
        shutil.copy(whole / "truth" / f"{task.name}.png", task.out / "truth")
        return Outcome()

    return work


def test_rows_say_who_is_shown_and_what_is_wrong(whole: Path) -> None:
    rows = rows_of(whole)
    assert [row["index"] for row in rows] == list(range(COUNT))
    for row in rows:
        kinds, missing = draw_damage(0, row["index"], ITEM.damage)
        assert tuple(row["covered_by"]) == kinds
        assert row["missing_fraction"] == pytest.approx(missing, abs=1e-4)
        assert len(row["albedo_code"]) == ALBEDO_SIZE and len(row["identity"]) >= 16
        assert row["error_mm"]["median"] < 2.5
        valid = load_image(whole / "items" / row["name"] / "mask.png", channels=1) > 0.5
        assert valid.mean() == pytest.approx(row["valid_share"], abs=1e-4)
        assert row["complete"] == bool(valid.all())
        if not kinds and not missing:
            assert row["valid_share"] > 0.97
        else:
            assert not row["complete"]
    assert any(row["covered_by"] for row in rows) and any(row["missing_fraction"] for row in rows)


def test_damage_does_not_change_people() -> None:
    none = [draw_damage(3, index, DamageSettings(0.0, 0.0)) for index in range(20)]
    assert none == [((), 0.0)] * 20
    every = [draw_damage(3, index, DamageSettings(1.0, 1.0)) for index in range(20)]
    assert all(len(kinds) == 1 and 0.03 <= missing <= 0.15 for kinds, missing in every)
    some = [draw_damage(3, index, DamageSettings()) for index in range(400)]
    assert 0.3 < np.mean([bool(kinds) for kinds, _ in some]) < 0.5
    assert set(some) <= {
        (kinds, missing)
        for (kind, lost) in (draw_damage(3, index, DamageSettings(1, 1)) for index in range(400))
        for kinds in ((), kind)
        for missing in (0.0, lost)
    }


def test_true_textures_are_clean_and_like_what_was_scanned(whole: Path) -> None:
    for row in rows_of(whole):
        name = row["name"]
        scanned = load_image(whole / "items" / name / "registered.texture.png")
        valid = load_image(whole / "items" / name / "mask.png", channels=1)[..., 0] > 0.5
        true = load_image(whole / "truth" / f"{name}.png")
        assert np.median(np.abs(scanned - true)[valid]) < 0.03
        if not valid.all():
            assert np.median(np.abs(scanned - true)[~valid]) > 0.05
        mesh = load_mesh(whole / "items" / name / "registered.ply")
        arrays, header = load_tensors(
            whole / "items" / name / "truth.safetensors", kind=TRUTH_KIND, schema=TRUTH_SCHEMA
        )
        assert header["topology_id"] == mesh.topology_id and header["units"] == "mm"
        miss = np.linalg.norm(mesh.vertices - arrays["vertices"], axis=1)
        assert np.median(miss) < 3.0


def test_training_reads_it(whole: Path) -> None:
    from geomface.gan.progressive_texture.joint import fit_joint_model

    data = load_textures(whole, 16)
    assert data.names == tuple(f"items/{k:06d}/registered.texture.png" for k in range(COUNT))
    assert data.masks is not None and not data.complete().all()
    clean = load_textures(whole / "truth", 32)
    assert len(clean) == COUNT and clean.complete().all()
    geometry = load_geometry_images(whole, 32)
    assert geometry.images.masks is not None and (geometry.high - geometry.low < 100).all()
    holes = [int((~mask).sum()) for mask in geometry.images.masks]
    assert max(holes) > min(holes)
    assert fit_joint_model(whole, 32).size == 32


def test_scans_of_another_model_are_brought_to_the_template(
    shared_data: Path, tmp_path: Path
) -> None:
    ict = str(shared_data / "ict" / "ict_face.npz")
    out = tmp_path / "set"
    damage = DamageSettings(covered=0.0, torn=0.0)
    item = dataclasses.replace(ITEM, damage=damage)
    make_textures(settings(out, count=2, models=("builtin", ict), item=item))
    own, other = rows_of(out)
    assert own["model"] == "builtin" and other["model"].startswith("ict")
    assert other["error_mm"]["median"] < 2.5 and other["valid_share"] > 0.9
    geometry = load_geometry_images(out, 32)
    assert len(geometry.images) == 2
    scanned = load_image(out / "items" / "000001" / "registered.texture.png")
    true = load_image(out / "truth" / "000001.png")
    assert np.median(np.abs(scanned - true)) < 0.03


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"size": 100}, "size: expected a power of two"),
        ({"damage": (1.5, 0.0)}, "covered: expected 0 to 1"),
        ({"range": (0.2, 0.1)}, "torn_fraction: expected low <= high"),
        ({"close": -1}, "close: expected 0 to 0.5"),
        ({"color": (0, 0, 2)}, "hole_color: expected 0 to 1"),
        ({"vertices": 10}, "vertices: expected 500 or more"),
        ({"count": 0}, "count: expected 1 or more"),
        ({"workers": 0}, "workers: expected 1 or more"),
        ({"models": ()}, "models: expected one or more"),
    ],
)
def test_bad_settings_are_refused(tmp_path: Path, change: dict, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        match change:
            case {"size": size}:
                dataclasses.replace(ITEM, size=size)
            case {"damage": (covered, torn)}:
                DamageSettings(covered, torn)
            case {"range": limits}:
                DamageSettings(torn_fraction=limits)
            case {"close": close}:
                DamageSettings(close=close)
            case {"color": color}:
                DamageSettings(hole_color=color)
            case {"vertices": vertices}:
                TextureScanSettings(vertices=vertices)
            case _:
                settings(tmp_path, **change)


def test_a_template_without_landmarks_is_refused(tmp_path: Path) -> None:
    import geomface

    mesh = geomface.load_builtin_face().mesh
    geomface.save_mesh(tmp_path / "bare.obj", mesh)
    with pytest.raises(LandmarkError, match="expected a template with the 68 landmarks"):
        make_textures(settings(tmp_path / "set", template=tmp_path / "bare.obj"))
    assert not (tmp_path / "set").exists()


def test_an_item_depends_on_the_seed_and_its_number_only(whole: Path, tmp_path: Path) -> None:
    """Face 2 alone is face 2 of the set."""
    out = tmp_path / "set"

    def only_the_third(task: ItemTask, folder: Path) -> Outcome:
        if task.payload.index == 2:
            return make_textured_face(task, folder)
        return copy_of(whole)(task, folder)

    make_textures(settings(out), work=only_the_third)
    assert tree(out) == tree(whole)
