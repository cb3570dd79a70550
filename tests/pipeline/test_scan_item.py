"""The real chain on two small simulated scans and a broken one, serially and with workers."""

import dataclasses

import numpy as np
import pytest

from geomface.datasets import layout
from geomface.datasets.registered_faces import load_run_template
from geomface.faces.builtin import load_builtin_face
from geomface.files import load_image
from geomface.files.records import read_json
from geomface.geometry_image import GeometryImageDecoder, load_geometry_image
from geomface.mesh.io import load_mesh
from geomface.pipeline import (
    ItemSettings,
    ModelSettings,
    PipelineSettings,
    run_pipeline,
    verify_outputs,
)
from geomface.registration.settings import RegistrationSettings
from geomface.scans.settings import ScanSettings
from geomface.scans.simulate import save_simulated_scan, simulate_scan
from geomface.statistics import read_morphable

QUICK = ItemSettings(
    texture_size=64,
    geometry_image_size=64,
    registration=RegistrationSettings(
        stiffness=(1e5, 4e3, 160.0, 10.0), matches_per_level=1, final_matches=2
    ),
)


@pytest.fixture(scope="module")
def scans(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scans")
    model = load_builtin_face()
    for index in range(2):
        rng = np.random.default_rng([8, index])
        scan = simulate_scan(model, rng=rng, settings=ScanSettings(vertices=5000))
        save_simulated_scan(folder, index, scan)
    (folder / "scan002.ply").write_bytes((folder / "scan000.ply").read_bytes()[:5000])
    (folder / "scan002.landmarks.json").write_bytes(
        (folder / "scan000.landmarks.json").read_bytes()
    )
    (folder / "scan003.ply").write_bytes((folder / "scan000.ply").read_bytes())
    return folder


@pytest.fixture(scope="module")
def report(scans, tmp_path_factory):
    settings = PipelineSettings(
        scans=scans,
        out=tmp_path_factory.mktemp("run") / "out",
        item=QUICK,
        landmarks="required",
        model=ModelSettings(samples=2, variance=1.0),
    )
    return settings, run_pipeline(settings)


def test_good_scans_are_done_and_bad_ones_say_why(report):
    _, result = report
    assert (result.done, result.failed, result.exit_code) == (2, 2, 3)
    messages = {record.name: record.message for record in result.records}
    assert "truncated" in messages["scan002"]
    assert "scan003.landmarks.json" in messages["scan003"]
    assert "--landmarks auto" in messages["scan003"]


def test_registered_meshes_meet_the_truth(report, scans):
    settings, _ = report
    core = load_builtin_face().template.regions["face_core"]
    for name in ("scan000", "scan001"):
        folder = settings.out / layout.ITEMS / name
        mesh = load_mesh(folder / layout.REGISTERED)
        assert mesh.topology_id == load_builtin_face().mesh.topology_id
        assert mesh.uv is not None
        with np.load(scans / f"{name}.truth.npz") as truth:
            error = np.linalg.norm(mesh.vertices - truth["vertices"], axis=1)
        assert error[core].mean() < 3.0  # a short schedule; the real one is measured elsewhere
        for file in (layout.REGISTERED_TEXTURED, layout.REGISTERED_FOR_VIEWERS):
            textured = load_mesh(folder / file)
            np.testing.assert_array_equal(textured.vertices, mesh.vertices)
            assert textured.texture is not None and textured.texture.shape == (64, 64, 3)
        mask = load_image(folder / layout.MASK)[..., 0]
        assert set(np.unique(mask)) <= {0.0, 1.0} and mask.mean() > 0.5


def test_geometry_images_share_the_templates_pose(report):
    settings, _ = report
    template = load_run_template(settings.out).mesh
    decoder = GeometryImageDecoder(template, 64)
    for name in ("scan000", "scan001"):
        folder = settings.out / layout.ITEMS / name
        image = load_geometry_image(folder / layout.GEOMETRY_IMAGE)
        shape = decoder.decode(image)
        away = np.linalg.norm(shape - template.vertices, axis=1)
        assert away.mean() < 12  # another person, in the same pose and unit
        figures = read_json(folder / layout.ITEM_REPORT)
        assert figures["geometry_image_rms_mm"] < 0.3
        pose = figures["geometry_image_pose"]
        back = (shape - pose["translation"]) @ np.array(pose["rotation"])
        mesh = load_mesh(folder / layout.REGISTERED)
        assert np.linalg.norm(back - mesh.vertices, axis=1).mean() < 0.3
        codes = load_geometry_image(folder / layout.GEOMETRY_PICTURE)
        assert codes.bits == 16


def test_the_model_holds_the_scans_and_draws_new_faces(report):
    settings, result = report
    folder = settings.out / layout.MODEL
    model = read_morphable(folder / layout.MORPHABLE_MODEL)
    assert len(model.shape) == 1 and result.stages[0].status == "done"
    assert model.topology_id == load_builtin_face().mesh.topology_id
    assert model.texture is not None and len(model.texture) == 1
    for suffix in (".obj", ".ply", ".glb"):
        sample = load_mesh(folder / f"sample001{suffix}")
        assert len(sample.faces) == len(load_builtin_face().mesh.faces)
    assert sample.texture is not None
    shapes = [load_mesh(folder / f"sample{index:03d}.obj").vertices for index in range(2)]
    assert np.linalg.norm(shapes[0] - shapes[1], axis=1).mean() > 0.01
    assert np.abs(np.mean(shapes[0], axis=0) - model.shape.mean.mean(axis=0)).max() < 20


def test_a_second_run_does_nothing(report):
    settings, first = report
    again = run_pipeline(settings)
    assert again.did == 0 and again.message.startswith("nothing to do: 2 done, 2 failed before")
    assert again.stages[0].attempt == first.stages[0].attempt == 1
    assert verify_outputs(settings.out) == {}


def test_workers_give_the_same_bytes(report, tmp_path):
    settings, serial = report
    other = run_pipeline(dataclasses.replace(settings, out=tmp_path / "out", workers=2))
    for one, two in zip(serial.records, other.records, strict=True):
        assert one.outputs == two.outputs
    assert serial.stages[0].outputs == other.stages[0].outputs


def test_landmarks_are_found_where_no_file_lies_beside_a_scan(report, scans, tmp_path):
    settings, _ = report
    folder = tmp_path / "bare"
    folder.mkdir()
    (folder / "one.ply").write_bytes((scans / "scan000.ply").read_bytes())
    changed = dataclasses.replace(settings, scans=folder, out=tmp_path / "out", landmarks="auto")
    result = run_pipeline(changed)
    assert result.did == 1 and not result.stages
    record = result.records[0]
    assert record.status == "done" and any("no landmarks" in note for note in record.notes)
