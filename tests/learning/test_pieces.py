"""The small shared pieces: ema, streams, order of data, device, grid, metrics."""

import doctest
import importlib
import json
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from geomface import learning
from geomface.errors import SettingsError
from geomface.lazy import read_exports
from geomface.learning import (
    ComputeSettings,
    DeviceError,
    MetricsLog,
    batch_indices,
    choose_device,
    format_metrics,
    image_grid,
    make_ema,
    read_metrics,
    stream_generator,
    update_ema,
)
from geomface.learning.device import check_compute
from geomface.learning.stopping import StopRequest
from geomface.learning.stream import Batch, Stream, StreamReader


def test_average_has_its_closed_form() -> None:
    """n steps from 0 towards 1 leave 1 - d^n."""
    network = torch.nn.BatchNorm1d(3).double()
    ema = make_ema(network)
    for tensor in [*ema.parameters(), ema.running_mean]:
        tensor.data.zero_()
    for tensor in [*network.parameters(), network.running_mean]:
        tensor.data.fill_(1.0)
    network.num_batches_tracked.fill_(7)
    for _ in range(20):
        update_ema(ema, network, 0.9)
    for tensor in [*ema.parameters(), ema.running_mean]:
        np.testing.assert_allclose(tensor.detach().numpy(), 1 - 0.9**20, rtol=1e-12)
    assert ema.num_batches_tracked == 7


def test_streams_are_independent_and_repeat() -> None:
    draws = [
        torch.rand(4, generator=stream_generator(s, n)) for s, n in [(0, "a"), (0, "b"), (1, "a")]
    ]
    assert not torch.equal(draws[0], draws[1]) and not torch.equal(draws[0], draws[2])
    assert torch.equal(draws[0], torch.rand(4, generator=stream_generator(0, "a")))


@pytest.mark.parametrize("batch", [1, 3, 7, 25])
def test_every_epoch_shows_every_sample_once(batch: int) -> None:
    """Whatever the batch, the order is one sequence cut into pieces."""
    sequence = batch_indices(5, 10, 0, 100)
    pieces = torch.cat([batch_indices(5, 10, at, batch) for at in range(0, 100, batch)])[:100]
    assert torch.equal(sequence, pieces)
    for epoch in sequence.reshape(10, 10):
        assert torch.equal(epoch.sort()[0], torch.arange(10))
    assert not torch.equal(sequence[:10], sequence[10:20])


class _Slow:
    """A data set that takes a while."""

    def __len__(self) -> int:
        return 4

    def fingerprint(self) -> dict[str, str]:
        return {}

    def batch(self, indices: torch.Tensor) -> Batch:
        time.sleep(0.03)
        return {"labels": indices}


def test_readers_tell_how_long_they_were_waited_for() -> None:
    slow = StreamReader(Stream("slow", _Slow(), 2), seed=0)
    slow.read(0, 2)
    assert slow.waited >= 0.03
    ahead = StreamReader(Stream("ahead", _Slow(), 2, prefetch=True), seed=0)
    ahead.read(0, 2)
    first = ahead.waited
    time.sleep(0.4)  # a step that takes longer than its batch
    ahead.read(2, 2)
    assert ahead.waited - first < 0.02


def test_no_device_is_refused() -> None:
    with pytest.raises(SettingsError, match="devices: expected 1 or more, got 0"):
        check_compute(ComputeSettings("cpu", devices=0))


def test_device_is_refused_where_there_is_none() -> None:
    assert choose_device("cpu").type == "cpu"
    with pytest.raises(SettingsError, match="auto, cpu or cuda"):
        choose_device("tpu")
    if not torch.cuda.is_available():
        assert choose_device("auto").type == "cpu"
        with pytest.raises(
            DeviceError, match=r"expected a CUDA device, got none .* Use auto or cpu"
        ):
            choose_device("cuda")


def test_bfloat16_is_for_processors_that_multiply_it(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = ComputeSettings("cpu", precision="bfloat16")
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True}, raising=False)
    assert check_compute(settings).type == "cpu"
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx2": True}, raising=False)
    with pytest.raises(SettingsError, match="bfloat16 needs a CUDA device or a CPU with AMX"):
        check_compute(settings)
    monkeypatch.delattr(torch.cpu, "get_capabilities")
    with pytest.raises(SettingsError, match="got a CPU without"):
        check_compute(settings)


def test_grid_places_images_in_rows() -> None:
    images = torch.linspace(-1, 1, 5).reshape(5, 1, 1, 1).expand(5, 3, 2, 2)
    sheet = image_grid(images, columns=3, gap=1)
    assert sheet.shape == (5, 8, 3) and sheet.dtype == np.float32
    assert (sheet[:2, :2] == 0).all() and (sheet[2] == 1).all()
    np.testing.assert_allclose(sheet[3:, 0:2], 0.75)


def test_metrics_are_means_under_one_name_everywhere(tmp_path: Path) -> None:
    log = MetricsLog(tmp_path / "metrics.jsonl")
    log.add({"loss/discriminator": torch.tensor(1.0), "penalty/r1": 4.0})
    log.add({"loss/discriminator": 2.0})
    record = log.flush(2, steps_per_second=9.0)
    assert record == {
        "step": 2,
        "loss/discriminator": 1.5,
        "penalty/r1": 4.0,
        "steps_per_second": 9.0,
    }
    assert read_metrics(log.path) == [record]
    assert format_metrics(record).startswith("step 2  loss/discriminator 1.5  penalty/r1 4")


def test_log_goes_on_from_an_open_window_and_cuts_what_came_after(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"step": 10, "x": 1.0}\n{"step": 20, "x": 2.0}\n{"step": 30, "x"')
    log = MetricsLog(path, 15, {"x": [3.0, 2]})
    log.add({"x": 6.0})
    log.add({"b": 1.0, "a": 2.0})
    window = json.loads(json.dumps(log.pending(), sort_keys=True))  # as checkpoints keep it
    assert window == {"x": [9.0, 3, 0], "b": [1.0, 1, 1], "a": [2.0, 1, 2]}
    assert MetricsLog(None, 15, window).flush(20) == (record := log.flush(20))
    assert list(MetricsLog(None, 15, window).flush(20)) == list(record) == ["step", "x", "b", "a"]
    assert [record["x"] for record in read_metrics(path)] == [1.0, 3.0]


def test_nan_is_named(tmp_path: Path) -> None:
    log = MetricsLog(tmp_path / "metrics.jsonl")
    log.add({"loss/discriminator": float("nan"), "loss/generator": 1.0})
    assert log.not_finite() == ["loss/discriminator"]


def test_budget_stops_between_steps() -> None:
    with StopRequest(None) as stop:
        assert stop.reason == ""
    with StopRequest(0.0) as stop:
        assert stop.reason == "budget"


@pytest.mark.parametrize("module", sorted(set(read_exports(learning.__file__).values())))
def test_examples_run_as_they_stand(module: str) -> None:
    found = doctest.testmod(
        importlib.import_module(module), optionflags=doctest.NORMALIZE_WHITESPACE
    )
    assert found.failed == 0
