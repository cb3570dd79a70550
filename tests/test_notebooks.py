"""The notebooks run from top to bottom, and say what they promise."""

import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parents[1]
EXPECTED = {
    "01_first_scan.ipynb": [
        r"converged: (True|False) after \d+ iterations",
        r"mean \d\.\d\d mm, 95 % below \d\.\d\d mm",
        r"first scan: done",
    ],
    "02_uv_and_geometry_images.ipynb": [
        r"flips: 0, L2 stretch: 1\.\d{3}",
        r"256 x 256: 0\.[01]\d\d mm RMS lost",
        r"uv and geometry images: done",
    ],
    "03_morphable_model.ipynb": [
        r"hidden half: \d\.\d\d mm off, the mean face \d\.\d\d mm",
        r"new faces are described to 0\.\d\d mm",
        r"the model alone on the scan: [01]\.\d\d mm",
        r"morphable model: done",
    ],
    "04_render_and_synthesise.ipynb": [
        r"shift recovered to 0\.\d\d mm",
        r"auto: numba draws on the CPU",
        r"fitted face: \d\.\d\d mm off, the mean face \d\.\d\d mm",
        r"landmarks: [0-3]\.\d mm off \(median\)",
        r"render and synthesise: done",
    ],
    "05_texture_gan.ipynb": [
        r"6 textures, \d+% of their texels hidden",
        r"same scores: True",
        r"gradient behind the masks: 0\.0",
        r"trained \d+ steps, finished",
        r"texture gan: done",
    ],
}


def test_every_notebook_is_tested() -> None:
    assert {path.name for path in (ROOT / "notebooks").glob("*.ipynb")} == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_notebook_runs(name: str, tmp_path: Path) -> None:
    notebook = nbformat.read(ROOT / "notebooks" / name, as_version=4)
    nbformat.validate(notebook)
    assert all(not cell.get("outputs") for cell in notebook.cells), "committed without outputs"
    client = NotebookClient(notebook, timeout=180, kernel_name="python3")
    client.execute(cwd=str(tmp_path))
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    text = "".join(
        output["text"]
        for output in outputs
        if output.output_type == "stream" and output["name"] == "stdout"
    )
    for pattern in EXPECTED[name]:
        assert re.search(pattern, text), f"expected {pattern!r} in:\n{text}"
    pictures = [
        output
        for output in outputs
        if output.output_type == "display_data" and "image/png" in output["data"]
    ]
    assert len(pictures) >= 3
