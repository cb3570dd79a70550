"""Files of pictures: encodings, shards, the manifest and its reader."""

import io
import json
import tarfile
from pathlib import Path

import numpy as np
import pytest

from geomface.datasets import layout, load_synthetic
from geomface.datasets.picture_files import STORED, decode_output, encode_output, suffix_of
from geomface.errors import FileFormatError, OutputError
from geomface.rendering.differentiable import OUTPUTS
from geomface.synthesis import FaceImageSettings, FaceSampler
from geomface.synthesis.shards import ShardWriter
from geomface.synthesis.writing import write_part

SETTINGS = FaceImageSettings(identities=2, samples=2, size=48, seed=2, outputs=OUTPUTS)
PICTURES = [(0, 0), (0, 1), (1, 0), (1, 1)]


@pytest.fixture(scope="module")
def sampler() -> FaceSampler:
    return FaceSampler(SETTINGS)


@pytest.mark.parametrize("image_format", ["png", "npy"])
def test_outputs_survive_their_files(sampler: FaceSampler, image_format: str) -> None:
    batch = sampler.batch([(1, 0)])
    tolerance = {"uint8": 0.5 / 255 + 1e-6, "float16": 2e-3, "float32": 0, "int32": 0}
    for name, images in batch.images.items():
        data = encode_output(name, images[0], image_format)
        assert (data[1:4] == b"PNG") == suffix_of(name, image_format).endswith(".png")
        back = decode_output(name, data, name)
        assert back.shape == images[0].shape
        exact = name in ("region", "face_id")
        atol = 0 if exact else tolerance[STORED[name]]
        np.testing.assert_allclose(back.astype(float), images[0].astype(float), atol=atol)
        assert encode_output(name, back, image_format) == data, "again, the same bytes"


def test_damaged_files_are_refused() -> None:
    with pytest.raises(FileFormatError, match="could not read it"):
        decode_output("depth", b"\x93NUMPY\x01\x00broken", "depth")
    with pytest.raises(FileFormatError, match="cannot be decoded"):
        decode_output("rgb", b"GIF89a", "rgb")


def test_shards_are_tars_without_a_trace_of_the_run() -> None:
    files = {"a.rgb.npy": b"x" * 700, "a.json": b"{}", "b.bin": b"", "c.bin": bytes(512)}
    stream = io.BytesIO()
    writer = ShardWriter(stream)
    places = {name: writer.add(name, data) for name, data in files.items()}
    writer.finish()
    data = stream.getvalue()
    assert len(data) % 10240 == 0
    for name, (start, count) in places.items():
        assert data[start : start + count] == files[name]
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        members = archive.getmembers()
        assert [member.name for member in members] == list(files)
        for member in members:
            assert (member.mtime, member.uid, member.gid, member.uname) == (0, 0, 0, "")
            held = archive.extractfile(member)
            assert held is not None and held.read() == files[member.name]
    with pytest.raises(OutputError, match="at most 100 bytes"):
        writer.add("n" * 101, b"")


@pytest.mark.parametrize("shard", [False, True])
def test_manifest_tells_the_truth(sampler: FaceSampler, tmp_path: Path, shard: bool) -> None:
    place = tmp_path / "parts" / "000000"
    place.mkdir(parents=True)
    counts = write_part(sampler, PICTURES, place, place="parts/000000", shard=shard)
    assert (counts.written, counts.failed) == (4, 0)
    (tmp_path / layout.SET_FILE).write_text(json.dumps({"kind": "synthetic-faces", "schema": 1}))
    (place / "manifest.jsonl").rename(tmp_path / "manifest.jsonl")
    faces = load_synthetic(tmp_path)
    assert len(faces) == 4 and faces.identities == (0, 1)
    embedding = sampler.model.template.landmarks
    assert embedding is not None
    batch = sampler.batch(PICTURES)
    for k, record in enumerate(faces):
        assert (record.identity, record.sample) == PICTURES[k]
        shape = sampler.model.vertices(
            record.parameters["identity"], record.parameters["expression"]
        )
        relief = batch.parameters[k].person.relief
        assert record.parameters["relief"] == pytest.approx(1.0, abs=0.1)
        shape = shape + sampler.scene.relief.displacements(relief)
        projected = record.camera.project(embedding.positions(shape))
        np.testing.assert_allclose(projected, record.landmarks, atol=1e-3)
        np.testing.assert_array_equal(record.landmarks_visible, batch.landmarks_visible[k])
        for name in batch.images:
            read = faces.image(record, name).astype(float)
            np.testing.assert_allclose(read, batch.images[name][k].astype(float), atol=2.1e-3)
    if shard:
        with tarfile.open(place / "pictures.tar") as archive:
            names = archive.getnames()
        assert names[0] == "000000_00000.rgb.png" and names.count("000001_00001.json") == 1
        assert len(names) == 4 * (len(OUTPUTS) - 1 + 1)


def test_reading_what_is_no_set_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match="a set of synthetic faces"):
        load_synthetic(tmp_path)
    for content, sentence in (
        ({"kind": "pipeline-run"}, "expected the file of a set"),
        ({"kind": "synthetic-faces", "schema": 99}, "schema 99 is unknown"),
        ({"kind": "synthetic-faces", "schema": 1}, "was not finished"),
    ):
        (tmp_path / layout.SET_FILE).write_text(json.dumps(content))
        with pytest.raises(FileFormatError, match=sentence):
            load_synthetic(tmp_path)
    (tmp_path / "manifest.jsonl").write_text('{"key": "x"}\n')
    with pytest.raises(FileFormatError, match="line 1 is not a row"):
        load_synthetic(tmp_path)
