"""Pages of sets: what is shown, what failed, for pictures and for textures."""

import dataclasses
import json
from pathlib import Path

import job_cases
import numpy as np
import pytest

from geomface.batch.attempts import ItemTask, Outcome
from geomface.batch.events import JobEvent
from geomface.batch.run import run_job
from geomface.cli.main import main
from geomface.errors import FileFormatError, MeshError
from geomface.files import save_image
from geomface.pipeline import FaceSetSettings, generate_faces
from geomface.report import write_report
from geomface.report.charts import histogram
from geomface.synthesis import Constant, FaceImageSettings, Gaussian, IdentitySettings, Mixture


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("pictures") / "set"
    wild = IdentitySettings(Mixture((Gaussian(0, 1), Constant(1e12)), (0.6, 0.4)))
    images = FaceImageSettings(identities=8, samples=1, size=32, seed=6, identity=wild)
    assert 0 < generate_faces(FaceSetSettings(images, out)).failed < 8
    return out


def test_a_page_of_pictures_shows_samples_poses_and_failures(pictures: Path) -> None:
    result = write_report(pictures)
    assert result.path == pictures / "report.html" and result.errors == {}
    assert result.sections == (
        "Overview", "Samples", "Distributions", "Failures", "How it was made",
    )  # fmt: skip
    page = result.path.read_text()
    rows = (pictures / "manifest.jsonl").read_text().splitlines()
    failed = (pictures / "failures.jsonl").read_text().splitlines()
    assert page.count("data:image/jpeg") == len(rows)
    first = json.loads(rows[0])
    assert f"{first['key']}: yaw {first['parameters']['yaw']:.0f}" in page
    assert page.count("few sigma") == len(failed) and page.count("<svg") == 6
    assert 'src="http' not in page and "<script" not in page


def test_a_page_of_textures_shows_masks_and_shares(tmp_path: Path) -> None:
    out = tmp_path / "set"
    run_job(dataclasses.replace(job_cases.textures(out), work=_face))
    assert main(["report", str(out), "--quiet"]) == 0
    page = (out / "report.html").read_text()
    assert page.count("data:image/jpeg") == 2 and "000000: 75% valid, scarf" in page
    assert page.count("there is no face.") == 1 and "valid share: mean 0.75" in page


def test_a_set_that_is_not_finished_shows_what_is_done(tmp_path: Path) -> None:
    out = tmp_path / "set"

    def stop(event: JobEvent) -> None:
        if event.kind in ("done", "failed") and event.finished == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_job(dataclasses.replace(job_cases.textures(out), work=_face), on_event=stop)
    assert not (out / "manifest.jsonl").exists()
    assert main(["report", str(out), "--quiet"]) == 0
    page = (out / "report.html").read_text()
    assert page.count("data:image/jpeg") == 1 and page.count("not attempted yet") == 1


def _face(task: ItemTask, folder: Path) -> Outcome:
    if task.payload.index == 1:
        raise MeshError("there is no face.")
    mask = np.ones((16, 16), np.float32)
    mask[:4] = 0
    save_image(folder / "mask.png", mask)
    save_image(folder / "registered.texture.png", np.full((16, 16, 3), 0.5, np.float32))
    row = {"name": task.name, "complete": False, "covered_by": ["scarf"], "valid_share": 0.75}
    row |= {"covered_share": 0.25, "hole_share": 0.0, "error_mm": {"median": None}}
    (folder / "report.json").write_text(json.dumps(row) + "\n")
    save_image(task.out / "truth" / f"{task.name}.png", np.zeros((4, 4, 3), np.float32))
    return Outcome({"complete": False})


def test_a_histogram_counts_all_values() -> None:
    values = np.array([0.0, 0.0, 1.0, 2.5, 5.0, 5.0, 5.0])
    chart = histogram(values, 5)
    assert chart.count("<rect") == 5
    for middle, count in ((0.5, 2), (1.5, 1), (2.5, 1), (3.5, 0), (4.5, 3)):
        assert f"<title>{middle:.2f}: {count} count</title>" in chart
    assert histogram(np.array([3.0])).count("<rect") == 12


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match="a set of synthetic faces or a set of textures"):
        write_report(tmp_path)
