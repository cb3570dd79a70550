"""The notebooks run from top to bottom, and say what they promise."""

import ast
import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

import geomface

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
        r"trained \d+ steps",
        r"texture gan: done",
    ],
    "06_factored_geometry.ipynb": [
        r"4 people, 7 expressions: neutral, happy",
        r"new people: [0-2]\.\d\d mm, the mean face \d\.\d\d mm",
        r"hidden half: [0-3]\.\d\d mm, the mean face \d\.\d\d mm",
        r"trained 20 steps",
        r"factored geometry: done",
    ],
    "07_recognition.ipynb": [
        r"20 aligned faces of 56 x 48 pixels",
        r"trained 40 steps, equal error [01]\.\d\d on people held out",
        r"16 descriptors of \d+ numbers, of 8 people",
        r"equal error: 40 steps 0\.\d{3}, the one that ships 0\.\d{3}",
        r"similarity -?[01]\.\d{4}",
        r"recognition: done",
    ],
    "08_render_to_photo.ipynb": [
        r"24 renders of 64 x 64 pixels",
        r"24 photographs, each with: .*drawn.*points.*quality",
        r"trained 40 steps; cycle error 0\.\d\d at first, now 0\.\d\d",
        r"pairs: real 0\.\d\d, made 0\.\d\d, balance k 0\.\d{3}",
        r"kernel distance to photographs: 0\.\d{3} of the renders, 0\.\d{3} of the translations",
        r"render to photo: done",
    ],
    "09_reenactment.ipynb": [
        r"32 frames of 2 people, and 12 of somebody else",
        r"12 frames",
        r"after 1, 6 and 12 steps 0\.000, 0\.\d{3}, 0\.\d{3} from one step",
        r"trained 20 steps: pixel error [01]\.\d\d at first, now [01]\.\d\d",
        r"error 0\.\d{3} in one step, 0\.\d{3} in two; the input itself 0\.\d{3}",
        r"landmark reenactment: done",
    ],
}


def code_of(name: str) -> str:
    """Return the Python of a notebook, without lines for the shell."""
    notebook = nbformat.read(ROOT / "notebooks" / name, as_version=4)
    lines = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    return "\n".join(line for line in lines.splitlines() if not line.startswith("!"))


@pytest.mark.parametrize("name", EXPECTED)
def test_notebook_uses_the_front_door(name: str) -> None:
    for node in ast.walk(ast.parse(code_of(name))):
        if isinstance(node, ast.Import):
            inside = [item for item in node.names if item.name.split(".")[0] == "geomface"]
            assert all((item.name, item.asname) == ("geomface", "gf") for item in inside)
        elif isinstance(node, ast.ImportFrom):
            assert (node.module or "").split(".")[0] != "geomface", ast.unparse(node)
        elif isinstance(node, ast.Attribute) and ast.unparse(node.value) == "gf":
            assert node.attr in geomface.__all__, node.attr


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
    pictures = [output for output in outputs if "image/png" in output.get("data", {})]
    assert len(pictures) >= 3
    shown = [output for output in outputs if "text/html" in output.get("data", {})]
    assert shown, "a result that shows itself"
