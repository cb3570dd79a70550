"""Readers of sets and of the folders of jobs, with good ones of each."""

import io
import json
import shutil
import sys
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from fuzz_meshes import landmark_rows
from fuzz_reader import TESTS, Reader, one_file

from geomface.batch.folder import find_kind
from geomface.batch.records import ItemRecord, OutputFile, latest_records, read_record, write_record
from geomface.batch.run import run_job
from geomface.datasets import layout, load_labelled_faces
from geomface.datasets.geometry_images import load_geometry_images
from geomface.datasets.label_table import load_label_table
from geomface.datasets.labelled_pictures import load_synthetic
from geomface.datasets.photographs import load_photographs
from geomface.datasets.registered_faces import load_registered_faces
from geomface.datasets.textures import load_textures
from geomface.files import save_image, write_json
from geomface.files.marker import FolderKind, require_own_folder
from geomface.files.videos import save_video
from geomface.gan.landmark_reenactment import read_face_frames, read_track
from geomface.geometry_image.files import save_geometry_image
from geomface.geometry_image.image import GeometryImage
from geomface.learning.data import picture_folder, picture_shards
from geomface.mesh import LandmarkEmbedding, Mesh, Template
from geomface.mesh.io import save_mesh, save_template
from geomface.mesh.io.pixel_landmarks import PixelLandmarks, save_pixel_landmarks
from geomface.pipeline import FaceSetSettings, generate_faces
from geomface.pipeline.aligned_sets import AlignedSetSettings, align_set
from geomface.pipeline.jobs import KINDS, open_job, read_status, verify_outputs
from geomface.recognition.aligned.aligned_faces import load_aligned
from geomface.recognition.alignment.reference import Alignment
from geomface.recognition.generator.populations import (
    Population,
    collect_population,
    load_factors,
    save_population,
)
from geomface.recognition.protocols.embeddings import Embeddings, load_embeddings, save_embeddings
from geomface.recognition.protocols.pair_list import load_pair_list
from geomface.recognition.protocols.thresholds import read_thresholds
from geomface.synthesis import FaceImageSettings

sys.path += [str(TESTS / "batch"), str(TESTS / "mesh")]

_POINTS = np.random.default_rng(1).uniform(10, 50, (68, 2))


def _sheet() -> Mesh:
    side = 5
    u, v = np.meshgrid(np.linspace(-1, 1, side), np.linspace(-1, 1, side))
    vertices = np.stack([80 * u, 110 * v, 50 * (1 - u**2 - 0.5 * v**2)], -1).reshape(-1, 3)
    corner = np.arange(side * side).reshape(side, side)[:-1, :-1].reshape(-1)
    quads = np.stack([corner, corner + 1, corner + side + 1, corner + side], axis=1)
    uv = np.stack([u, v], -1).reshape(-1, 2) / 2 + 0.5
    triangles = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    return Mesh(vertices, triangles, uv=uv, uv_faces=triangles, unit="mm", name="sheet")


def labelled(folder: Path) -> None:
    rng = np.random.default_rng(0)
    rows = ["file,identity,expression"]
    for name in ("anna/a.ply", "anna/b.ply", "ben/a.ply", "ben/b.ply"):
        (folder / name).parent.mkdir(exist_ok=True)
        mesh = _sheet()
        moved = mesh.vertices + rng.normal(0, 3, mesh.vertices.shape)
        save_mesh(folder / name, mesh.replace(vertices=moved))
        rows.append(f"{name},{name.partition('/')[0]},{'happy' if 'a.' in name else ''}")
    (folder / "labels.csv").write_text("\n".join(rows) + "\n")


def _table(path: Path) -> None:
    if path.suffix == ".jsonl":
        rows = [{"file": f"{k}.ply", "identity": str(k), "mood": None} for k in range(4)]
        path.write_text("\n".join(map(json.dumps, rows)) + "\n")
    else:
        path.write_text("file;identity;mood\n" + "".join(f"{k}.ply;{k};x\n" for k in range(4)))


def _run_folder(out: Path) -> None:
    """The output of a pipeline, of small meshes: template, items, records."""
    mesh = _sheet()
    template = out / layout.TEMPLATE_MESH
    template.parent.mkdir(parents=True)
    marks = LandmarkEmbedding.on_vertices(np.array([0, 7]), scheme="two")
    save_template(template, Template(mesh, marks, {"face_core": np.array([12])}))
    head = {"kind": "pipeline", "schema": 1, "scans": [f"s{k}" for k in range(4)]}
    rng = np.random.default_rng(0)
    for index in range(4):
        item = out / layout.ITEMS / f"s{index}"
        item.mkdir(parents=True)
        moved = mesh.vertices + rng.normal(0, 3, mesh.vertices.shape)
        save_mesh(item / layout.REGISTERED, mesh.replace(vertices=moved))
        write_json(item / layout.ITEM_REPORT, {"unit_factor": 1.0})
        save_image(item / layout.TEXTURE, rng.random((8, 8, 3)))
        save_image(item / layout.MASK, np.ones((8, 8, 3)))
        image = GeometryImage(
            rng.random((8, 8, 3)).astype(np.float32), np.ones((8, 8), bool), "absolute", "t", (0.0,)
        )
        save_geometry_image(item / layout.GEOMETRY_IMAGE, image)
    write_json(out / "head.json", head)
    (out / "head.json").unlink()


def _textures(folder: Path) -> None:
    for index in range(2):
        save_image(folder / f"t{index}.png", np.full((8, 8, 3), 0.5))
        save_image(folder / f"t{index}.mask.png", np.ones((8, 8, 3)))


def _read_textures(folder: Path) -> Any:
    return load_textures(folder, 8).read(torch.arange(2))


def _synthetic(folder: Path) -> None:
    images = FaceImageSettings(identities=2, samples=2, size=24)
    generate_faces(FaceSetSettings(images, folder / "set"))


def _sharded(folder: Path) -> None:
    images = FaceImageSettings(identities=2, samples=2, size=24)
    generate_faces(FaceSetSettings(images, folder / "set", shards=True))


def _read_synthetic(folder: Path) -> Any:
    faces = load_synthetic(folder / "set")
    assert len(faces.identities) >= 0 and faces.track >= 0
    for record in faces:
        record.camera.project(np.zeros((1, 3)))
        faces.image(record)
    return faces


def _photograph(path: Path, points: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    save_image(path, np.random.default_rng(len(path.name)).random((70, 60, 3)))
    save_pixel_landmarks(path.with_suffix(".landmarks.json"), PixelLandmarks(points))


def photographs(folder: Path) -> None:
    for name in ("ann/1", "ann/2", "bob/1"):
        _photograph(folder / f"{name}.png", _POINTS)
    (folder / "labels.csv").write_text("file,identity\nann/1.png,a\nann/2.png,a\nbob/1.png,b\n")


def _read_photographs(folder: Path) -> Any:
    found = load_photographs(folder)
    return [(photo.given_landmarks(), photo.read(), photo.digest()) for photo in found]


def _aligned(folder: Path) -> None:
    alignment = Alignment(56, 48)
    points = np.random.default_rng(1).uniform(20, 60, (68, 2))
    five = 1.5 * alignment.points + [9.0, 4.0]
    points[36:42], points[42:48] = five[0], five[1]
    points[[30, 48, 54]] = five[2:]
    for name in ("ann/1", "ann/2", "bob/1"):
        _photograph(folder / "people" / f"{name}.png", points)
    align_set(AlignedSetSettings(folder / "people", folder / "set", alignment, part_pictures=2))
    shutil.rmtree(folder / "people")


def _read_aligned(folder: Path) -> Any:
    faces = load_aligned(folder / "set")
    return faces.batch(torch.arange(len(faces.rows)))


def _tar(path: Path) -> None:
    with tarfile.open(path, "w") as archive:
        for key in range(3):
            picture, label = io.BytesIO(), json.dumps({"label": key}).encode()
            from PIL import Image

            Image.fromarray(np.full((6, 5, 3), 40 * key, np.uint8)).save(picture, "PNG")
            for name, data in ((f"{key}.png", picture.getvalue()), (f"{key}.json", label)):
                member = tarfile.TarInfo(name)
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))


def _read_tar(path: Path) -> Any:
    pictures = picture_shards([path])
    return pictures.batch(torch.arange(len(pictures)))


def _picture_folder(folder: Path) -> None:
    for name in ("a/1.png", "a/2.png", "b/1.png"):
        (folder / name).parent.mkdir(exist_ok=True)
        save_image(folder / name, np.full((6, 5, 3), 0.5))


def _read_pictures(folder: Path) -> Any:
    pictures = picture_folder(folder)
    return pictures.batch(torch.arange(len(pictures)))


def _track_files(folder: Path) -> None:
    for frame in range(4):
        (folder / f"{frame:05d}.pts").write_text(landmark_rows(_POINTS + frame))


def _track_array(path: Path) -> None:
    track = np.stack([_POINTS + frame for frame in range(5)])
    np.save(path, track) if path.suffix == ".npy" else np.savez(path, points=track)


def _video(folder: Path) -> None:
    frames = [np.full((64, 64, 3), 9 * k, np.uint8) for k in range(4)]
    save_video(folder / "vid.avi", frames)
    for frame in range(4):
        place = folder / "annot" / f"{frame + 1:06d}.pts"
        place.parent.mkdir(exist_ok=True)
        place.write_text(landmark_rows(_POINTS + 0.5 * frame))


def _read_video(folder: Path) -> Any:
    return read_face_frames([], 16, videos=[folder], detect=False)


def _stills(folder: Path) -> None:
    for frame in range(3):
        _photograph(folder / f"{frame}.png", _POINTS)


def embeddings(path: Path) -> None:
    rows = np.random.default_rng(0).standard_normal((3, 4))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    names = ("a/1", "a/2", "b/1")
    save_embeddings(path, Embeddings(names, rows, np.ones(3, bool), "x", "y", ("a", "a", "b")))


def pairs(path: Path) -> None:
    path.write_text(
        "1 2\nAnn 1 2\nBo 1 2\nAnn 1 Bo 3\nAnn 2 Bo 1\n"
        if path.suffix == ".txt"
        else "a,b,same\na.png,b.png,1\na.png,c.png,0\n"
    )


def _thresholds(folder: Path) -> None:
    told = {"verification": {"thresholds": {"0.001": 0.4, "equal error": 0.3}}, "alignment": "x"}
    write_json(folder / "evaluation.json", told)


def population(folder: Path) -> None:
    rng = np.random.default_rng(0)
    shapes = ((2, 4), (3, 2), (3, 27), (3, 3))
    tables = (rng.standard_normal(shape) for shape in shapes)
    save_population(folder, Population(*tables, ("a", "b", "c"), ("open", "smile"), "topology"))


def fits(
    folder: Path, topology: str = "t", modes: int = 2, weights: Sequence[str] = ("open", "smile")
) -> None:
    for name in ("anna", "ben"):
        picture = {
            "expression": dict.fromkeys(weights, 0.5),
            "light": np.ones((9, 3)),
            "camera": {"degrees": {"yaw": 1.0, "pitch": 2.0, "roll": 3.0}},
        }
        (folder / name).mkdir()
        record = {"shape": [0.5] * modes, "topology_id": topology}
        record["pictures"] = {"1.png": picture}
        write_json(folder / name / "fit.json", record)


def _record(path: Path) -> None:
    record = ItemRecord(
        "a", "s", "k", "done", 1, 1.5, 20.0, outputs=(OutputFile("items/a/x", 3, "0" * 32),)
    )
    folder = path.parent
    write_record(folder, record).rename(path)


def small_job(name: str) -> Any:
    def write(folder: Path) -> None:
        import job_cases

        run_job(getattr(job_cases, name)(folder / "out"))

    return write


def _kinds() -> tuple:
    import job_cases

    return (*KINDS, job_cases.TOY)


def _read_job(folder: Path) -> Any:
    """What status, verify and retry read of a folder."""
    out = folder / "out"
    find_kind(out, KINDS)
    status = read_status(out)
    assert status.exit_code in (0, 3)
    verify_outputs(out)
    return open_job(out)


def _read_records(folder: Path) -> Any:
    return latest_records(folder / "out" / "records")


_MINE = FolderKind("toy", "a set of words", "'toy'", "set.json")


def _marked(folder: Path) -> None:
    write_json(folder / ".geomface.json", {"kind": "toy", "what": "a set of words"})
    write_json(folder / "set.json", {"kind": "toy"})


def _read_marked(folder: Path) -> Any:
    return require_own_folder(folder, _MINE)


def _drawn(folder: Path) -> None:
    from geomface.datasets.drawn import draw_files

    draw_files(folder, _draw, 2, kind="rows", config={"a": 1})


def _draw(number: int) -> dict[str, np.ndarray]:
    return {"a": np.full((3, 2), number, np.float32), "b": np.arange(3)}


def _read_drawn(folder: Path) -> Any:
    from geomface.datasets.drawn import DrawnSet, draw_files

    rows = DrawnSet(draw_files(folder, _draw, 2, kind="rows", config={"a": 1}))
    return rows.rows(np.arange(len(rows))), rows.column("a"), rows.fingerprint()


def set_readers() -> list[Reader]:
    """Return the readers of sets of faces, pictures, tracks and numbers."""
    return [
        Reader("labelled_faces", labelled, load_labelled_faces),
        one_file("labels.csv", _table, lambda p: load_label_table(p, ("identity", "mood"))),
        one_file("labels.jsonl", _table, lambda p: load_label_table(p, ("identity", "mood"))),
        Reader("registered_faces", _run_folder, load_registered_faces, weight=2),
        Reader(
            "geometry_images",
            _run_folder,
            lambda folder: load_geometry_images(folder, 8),
            ("**/geometry_image.safetensors",),
            2,
        ),
        Reader("textures", _textures, _read_textures),
        Reader(
            "synthetic_faces",
            _synthetic,
            _read_synthetic,
            ("set/*.json*", "set/**/*.png"),
        ),
        Reader("synthetic_shards", _sharded, _read_synthetic, ("set/*.json*", "set/**/*.tar")),
        Reader("photographs", photographs, _read_photographs),
        Reader("aligned_faces", _aligned, _read_aligned, ("set/*.json*", "set/**/*.npy")),
        one_file("pictures.tar", _tar, _read_tar),
        Reader("picture_folder", _picture_folder, _read_pictures, weight=2),
        Reader("track_files", _track_files, read_track),
        one_file("track.npy", _track_array, read_track),
        one_file("track.npz", _track_array, read_track),
        Reader("video", _video, _read_video, ("**/*.avi", "**/*.pts"), 1),
        Reader("stills", _stills, lambda folder: read_face_frames([folder], 16, detect=False)),
        one_file("embeddings.npz", embeddings, load_embeddings),
        one_file("pairs.txt", pairs, load_pair_list),
        one_file("pairs.csv", pairs, load_pair_list),
        Reader("thresholds", _thresholds, read_thresholds),
        Reader("factors", population, load_factors),
        Reader("fits", fits, collect_population),
        Reader("drawn_set", _drawn, _read_drawn),
    ]


def job_readers() -> list[Reader]:
    """Return the readers of the folders of batch jobs."""
    head = ("out/*.json*", "out/records/*", "out/.geomface.json")
    return [
        one_file("a.001.json", _record, read_record),
        Reader("marker", _marked, _read_marked, ("*", ".geomface.json")),
        *(
            Reader(f"job.{name}", small_job(name), _read_job, head, 3)
            for name in ("scans", "pictures", "textures")
        ),
        Reader("job.records", small_job("toy"), _read_records, ("out/records/*.json",)),
    ]
