"""The promised figures on measured faces; skipped where the measurement data is not at hand."""

import numpy as np
import pytest

from geomface.faces.ict import load_ict
from geomface.geometry_image import (
    GeometryImageDecoder,
    GeometryImageEncoder,
    bake_texture,
    read_bilinear,
    value_range,
)
from geomface.mesh.closest import ClosestPointIndex
from geomface.mesh.io import load_mesh
from geomface.parametrization import unwrap


@pytest.fixture(scope="module")
def model(shared_data):
    return load_ict(shared_data / "ict" / "ict_face.npz")


@pytest.fixture(scope="module")
def unwrapped(model):
    return unwrap(model.template).mesh


@pytest.fixture(scope="module")
def faces(model):
    rng = np.random.default_rng(9)
    expressions = np.eye(len(model.blendshapes.modes))
    return np.stack(
        [
            model.vertices(rng.standard_normal(len(model.shape.modes)), expressions[k])
            for k in rng.choice(len(expressions), 8, replace=False)
        ]
    )


def rms(found: np.ndarray, truth: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.sum((found - truth) ** 2, axis=-1))))


@pytest.mark.parametrize(("size", "float_mm", "byte_mm"), [(256, 0.20, 0.25), (64, 0.30, 0.40)])
def test_identities_and_expressions_come_back(unwrapped, faces, size, float_mm, byte_mm):
    encoder = GeometryImageEncoder(unwrapped, size)
    decoder = GeometryImageDecoder(unwrapped, size)
    assert rms(decoder.decode(encoder.encode(faces)), faces) <= float_mm
    known = encoder.values(faces[:4], displacement=True)
    limits = value_range(known, encoder.sampling.mask, margin=0.25)
    image = encoder.encode(faces[4:], mode="displacement", bits=8, limits=limits)
    assert rms(decoder.decode(image), faces[4:]) <= byte_mm


def test_the_bake_of_a_simulated_scan_matches_its_albedo(unwrapped, shared_data):
    scan = load_mesh(shared_data / "scans" / "scan04.ply")
    truth = np.load(shared_data / "scans" / "scan04.truth.npz")
    vertices = truth["vertices"].astype(np.float64)
    baked = bake_texture(unwrapped, vertices, scan, 512)
    seen = read_bilinear(baked.mask[..., None].astype(float), unwrapped.uv)[:, 0] > 0.5
    error = np.abs(read_bilinear(baked.texture, unwrapped.uv) - truth["albedo"])
    assert error[seen].mean() <= 0.01
    far = ClosestPointIndex(scan).query(vertices).distances > 3.0
    assert far.sum() > 100 and seen[far].mean() < 0.01
    assert 0.8 < seen.mean() < 0.97
