"""Meshes, models and results show themselves in a notebook: every type that says so, as it says."""

import importlib
import io
import subprocess
import sys
import types

import IPython
import numpy as np
import pytest
from IPython.core.formatters import DisplayFormatter
from PIL import Image

import geomface as gf
from geomface.notebook import SHOWN, show_in_notebooks
from geomface.report.results import figures_of, show


@pytest.fixture(scope="module")
def results() -> dict[str, object]:
    """One of each type that is quick to make; the fits are made alike."""
    model = gf.load_builtin_face()
    settings = gf.ScanSettings(vertices=3000, surround=False)
    scan = gf.simulate_scan(model, rng=np.random.default_rng(1), settings=settings)
    quick = gf.RegistrationSettings(stiffness=(1e5,), final_matches=1)
    fit = gf.register(model.template, scan.mesh, scan.landmarks, settings=quick)
    flat = gf.unwrap(model.template)
    rng = np.random.default_rng(2)
    people = np.stack([model.sample(rng).vertices for _ in range(6)])
    scores = rng.standard_normal((6, 3))
    return {
        "mesh": model.mesh,
        "template": model.template,
        "scan": scan,
        "registration": fit,
        "unwrapped": flat,
        "compactness": gf.compactness(model),
        "curve": gf.generalization_to(model, people, components=range(len(people))),
        "correlation": gf.canonical_correlation(scores, scores[:, :2], permutations=3, rng=rng),
        "errors": gf.compare_assignments(scores, people, scores, people, rng=rng),
        "shape": model.shape,
        "model": model,
        "landmarks": gf.detect_landmarks(scan.mesh),
        "texture": gf.bake_texture(flat.mesh, fit.mesh.vertices, scan.mesh, size=32),
        "geometry image": gf.GeometryImageEncoder(flat.mesh, 32).encode(flat.mesh.vertices),
    }


@pytest.fixture
def formatter(monkeypatch: pytest.MonkeyPatch) -> DisplayFormatter:
    """What a session of IPython formats values with, told about our types."""
    formatter = DisplayFormatter()
    shell = types.SimpleNamespace(display_formatter=formatter)
    with monkeypatch.context() as patch:
        patch.setattr(IPython, "get_ipython", lambda: shell)
        show_in_notebooks()
    return formatter


@pytest.mark.parametrize("path", SHOWN)
def test_shown_types_exist(path: str) -> None:
    module, name = path.rsplit(".", 1)
    kind = getattr(importlib.import_module(module), name)
    assert f"{kind.__module__}.{kind.__qualname__}" == path


def test_ipython_shows_them(formatter: DisplayFormatter, results: dict[str, object]) -> None:
    for name, item in results.items():
        data, _ = formatter.format(item)
        with Image.open(io.BytesIO(data["image/png"])) as picture:
            pixels = np.asarray(picture.convert("RGB"))
        assert pixels.std() > 1, f"{name}: an empty picture"
        turns = name in ("mesh", "template", "model", "scan", "registration", "unwrapped")
        assert ("<iframe" in data["text/html"]) == turns, name
        assert "http" not in data["text/html"].split("srcdoc")[0]
    assert "text/html" not in formatter.format(3)[0], "other values are none of our business"


def test_a_mesh_too_large_for_a_page_keeps_its_text(
    formatter: DisplayFormatter, results: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("geomface.report.display.LARGEST_TRIANGLES", 10)
    data, _ = formatter.format(results["mesh"])
    assert "text/html" not in data and "Mesh(" in data["text/plain"]


def test_fits_are_shown_upright_with_their_figures(results: dict[str, object]) -> None:
    fit = results["registration"]
    shown = show(fit)
    (face,) = shown.view.faces
    template = gf.load_builtin_face().mesh.vertices
    assert np.abs(face.mesh.vertices - template).mean() < 10.0, "in the template's pose"
    figures = figures_of(fit)
    assert figures["flips"] == str(fit.flips) and figures["residual_mm"].startswith("median ")
    assert all(text in shown._repr_html_() for text in ("residual_mm", figures["residual_mm"]))
    assert "confidence" not in figures, "no arrays"


def test_nothing_is_loaded_without_ipython() -> None:
    script = "import sys, geomface; print('geomface.notebook' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.strip() == "False", done.stderr
