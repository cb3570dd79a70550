"""Several processes train as one does: shares, groups, weights, interrupts, sentences."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from geomface.errors import SettingsError
from geomface.files.tensors import load_tensors
from geomface.gan.progressive_texture.layers import append_deviation
from geomface.learning import ComputeSettings, read_metrics
from geomface.learning.distributed import ALONE, Ranks, is_started, join_ranks
from geomface.learning.launcher import start_processes
from geomface.learning.loop import TIMES
from geomface.learning.state import KIND, SCHEMA


@pytest.mark.parametrize(("batch", "count"), [(16, 2), (16, 4), (6, 2), (4, 4), (12, 3), (5, 1)])
def test_shares_are_a_partition(batch: int, count: int) -> None:
    shares = [Ranks(rank, count).shard(batch) for rank in range(count)]
    assert {len(item) for item in shares} == {batch // count}
    assert sorted(torch.cat(shares).tolist()) == list(range(batch))


@pytest.mark.parametrize("count", [2, 4])
def test_groups_of_the_minibatch_deviation_stay_whole(count: int) -> None:
    features = torch.randn(16, 3, 2, 2, generator=torch.Generator().manual_seed(0))
    whole = append_deviation(features)
    for rank in range(count):
        share = Ranks(rank, count).shard(16)
        torch.testing.assert_close(append_deviation(features[share]), whole[share])


def test_uneven_shares_are_refused() -> None:
    with pytest.raises(SettingsError, match="expected a divisor of the 6 images of a step, got 4"):
        Ranks(0, 4).shard(6)


def test_one_process_needs_nothing() -> None:
    weight = torch.ones(3, requires_grad=True)
    weight.sum().backward()
    ALONE.average_gradients([weight])
    assert torch.equal(weight.grad, torch.ones(3))
    assert ALONE.average_metrics({"a": 1.0}) == {"a": 1.0}
    assert ALONE.agree(("", "budget"), "budget") == "budget"
    assert not is_started()


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("images")
    draw = np.random.default_rng(0)
    for index in range(20):
        Image.fromarray(draw.integers(0, 255, (16, 16, 3), np.uint8)).save(folder / f"{index}.png")
    return ["train", "progressive_texture", "--data", str(folder), "--device", "cpu"]


def start(words: list[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "geomface", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )


def run(words: list[str]) -> tuple[int, str, str]:
    process = start(words)
    out, err = process.communicate(timeout=240)
    return process.returncode, out, err


def test_two_processes_train_as_one_and_one_goes_on(words: list[str], tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    tiny = [*words, "--recipe", "tiny", "--json"]
    assert run([*tiny, "--out", str(one), "--steps", "10"])[0] == 0
    code, out, err = run([*tiny, "--out", str(two), "--steps", "10", "--devices", "2"])
    assert code == 0, err
    assert json.loads(out)["steps"] == 10 and len(out.splitlines()) == 1
    records = [read_metrics(folder / "metrics.jsonl") for folder in (one, two)]
    assert [item["step"] for item in records[1]] == [5, 10]
    # Adam's first steps depend on a gradient's sign alone, so that rounding may grow in the weights
    # of a few; the losses of ten steps tell of all of them.
    for single, double in zip(*records, strict=True):
        for name in single.keys() - TIMES:
            assert double[name] == pytest.approx(single[name], rel=1e-3, abs=1e-4), name
    weights = [
        load_tensors(folder / "checkpoints/step-000000010.safetensors", kind=KIND, schema=SCHEMA)
        for folder in (one, two)
    ]
    assert weights[0][0].keys() == weights[1][0].keys()
    modules = [name for name in weights[0][0] if name.startswith("module/")]
    assert len(modules) > 40
    for name in modules:
        single, double = weights[0][0][name], weights[1][0][name]
        assert np.abs(double - single).mean() <= 1e-3 * max(np.abs(single).mean(), 0.1), name
    streams = [name for name in weights[0][0] if name.startswith("generator/")]
    assert streams and all(np.array_equal(weights[0][0][n], weights[1][0][n]) for n in streams)
    assert run([*tiny, "--out", str(two), "--steps", "12"])[0] == 0
    assert (two / "checkpoints/step-000000012.safetensors").is_file()


def test_interrupt_saves_once(words: list[str], tmp_path: Path) -> None:
    out = tmp_path / "run"
    process = start(
        [*words, "--recipe", "tiny", "--steps", "100000", "--out", str(out), "--devices", "2"]
    )
    deadline = time.monotonic() + 200
    while not (out / "checkpoints/step-000000010.safetensors").is_file():
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert err.count("interrupted.") == 1 and "Traceback" not in err
    newest = sorted((out / "checkpoints").iterdir())[-1].name
    assert read_metrics(out / "metrics.jsonl")[-1]["step"] <= int(newest[5:14])


def test_what_fails_is_told_once(words: list[str], tmp_path: Path) -> None:
    nowhere = [word if not word.startswith("/") else "nowhere" for word in words]
    code, _, err = run([*nowhere, "--recipe", "tiny", "--out", str(tmp_path / "x"), "--devices", "2"])  # noqa: E501  # fmt: skip
    assert code == 1
    assert err == (
        "error: nowhere: expected a folder of textures, there is none. Check the path.\n"
    )
    assert not (tmp_path / "x").exists()


SENTENCE = "error: memory: expected more, got too little."
BROKEN = """
import os, signal, sys
from geomface.cli.main import main
from geomface.errors import SettingsError
from geomface.gan.progressive_texture.task import TextureGan
step = TextureGan.step
def failing(task):
    if os.environ['RANK'] in os.environ['FAILING'] and task.state.scalars['steps'] == 3:
        if os.environ['HOW'] == 'kill':
            os.kill(os.getpid(), signal.SIGKILL)
        raise SettingsError('memory: expected more, got too little.')
    return step(task)
TextureGan.step = failing
sys.exit(main())
"""


@pytest.mark.parametrize(
    ("failing", "how", "sentence"),
    [
        ("1", "raise", SENTENCE),
        ("01", "raise", SENTENCE),
        ("1", "kill", "error: process 1 of the training was ended by SIGKILL"),
    ],
)
def test_what_a_process_meets_is_told_once(
    failing: str,
    how: str,
    sentence: str,
    words: list[str],
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever fails in the fourth step, one sentence comes out and nobody hangs."""
    broken = tmp_path / "broken.py"
    broken.write_text(BROKEN)
    monkeypatch.setenv("FAILING", failing)
    monkeypatch.setenv("HOW", how)
    tiny = [*words, "--recipe", "tiny", "--out", str(tmp_path / "run"), "--quiet"]
    code = start_processes([*tiny, "--devices", "2"], 2, program=(sys.executable, str(broken)))
    told = capfd.readouterr().err
    assert code == 1 and told.startswith(sentence) and len(told.splitlines()) == 1


def test_who_was_killed_is_named_not_who_aborted_over_it(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "import os, signal\n"
        "os.kill(os.getpid(), signal.SIGKILL if os.environ['RANK'] == '1' else signal.SIGABRT)\n"
    )
    assert start_processes([], 2, program=(sys.executable, str(program))) == 1
    assert capfd.readouterr().err.startswith(
        "error: process 1 of the training was ended by SIGKILL"
    )


def test_processes_end_with_a_killed_launcher(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "import os, pathlib, time\n"
        "from geomface.processes import end_with_parent\n"
        "end_with_parent()\n"
        "place = pathlib.Path(__file__).with_name(os.environ['RANK'])\n"
        "for second in range(600):\n"
        "    place.write_text(str(os.getpid()))\n"
        "    time.sleep(0.1)\n"
    )
    start_both = (
        "import sys; from geomface.learning.launcher import start_processes;"
        f"start_processes([], 2, program=(sys.executable, {str(program)!r}))"
    )
    launcher = subprocess.Popen([sys.executable, "-c", start_both])
    places, deadline = [tmp_path / "0", tmp_path / "1"], time.monotonic() + 60
    while not all(place.is_file() for place in places):
        assert launcher.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    launcher.kill()
    launcher.wait()
    written, deadline = None, time.monotonic() + 20
    while written != (written := [place.stat().st_mtime_ns for place in places]):
        assert time.monotonic() < deadline
        time.sleep(1.0)


def test_a_request_to_terminate_reaches_all(words: list[str], tmp_path: Path) -> None:
    out = tmp_path / "run"
    process = start(
        [*words, "--recipe", "tiny", "--steps", "100000", "--out", str(out), "--devices", "2"]
    )
    deadline = time.monotonic() + 200
    while not (out / "checkpoints/step-000000010.safetensors").is_file():
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    process.terminate()  # the launcher alone, as a scheduler does
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130 and err.count("interrupted.") == 1, err


def test_more_processes_than_devices_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two processes that know nothing of each other would write one run directory."""
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "2")
    with (
        pytest.raises(SettingsError, match="each of 1 devices, got 2. Use --devices 2"),
        join_ranks(ComputeSettings("cpu")),
    ):
        pass


def test_a_process_alone_cannot_be_two(words: list[str]) -> None:
    expected = "expected one process for each of 2 devices, got 1"
    with (
        pytest.raises(SettingsError, match=expected),
        join_ranks(ComputeSettings("cpu", devices=2)),
    ):
        pass
