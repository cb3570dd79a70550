"""The benchmarks' model of a cluster, where its answer is known without it."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "benchmarks"))

from cluster_model import Cluster, simulate  # noqa: E402

TIMES = np.random.default_rng(3).lognormal(1.0, 0.5, 400).tolist()


def test_one_worker_takes_the_sum_of_everything():
    cluster = Cluster(1, 7, scheduler=0.5, record=0.1, store=0.2, start=3.0, plan=0.01, end=0.02)
    tasks = -(-len(TIMES) // 7)
    expected = 3.0 + sum(TIMES) + 0.33 * len(TIMES) + 0.5 * tasks
    assert simulate(TIMES, cluster).seconds == pytest.approx(expected)
    # One task is fetched while another is done: only the first is waited for.
    ahead = simulate(TIMES, Cluster(1, 7, ahead=1, scheduler=0.5)).seconds
    assert ahead == pytest.approx(sum(TIMES) + 0.5)


def test_equal_items_take_whole_rounds():
    assert simulate([2.0] * 40, Cluster(8)).seconds == pytest.approx(10.0)
    assert simulate([2.0] * 41, Cluster(8)).seconds == pytest.approx(12.0)
    assert simulate([2.0] * 40, Cluster(8, 10)).seconds == pytest.approx(20.0)


def test_the_one_server_that_all_wait_for_sets_the_time():
    slow = simulate([0.001] * 500, Cluster(64, scheduler=0.01))
    assert slow.seconds == pytest.approx(5.0, rel=0.01) and slow.scheduler_busy > 0.99
    slow = simulate([0.001] * 500, Cluster(64, 5, store=0.01))
    assert slow.seconds == pytest.approx(5.0, rel=0.01) and slow.store_busy > 0.99


@pytest.mark.parametrize("workers", [1, 3, 64, 1000])
@pytest.mark.parametrize("ahead", [0, 2])
def test_all_time_is_accounted_for(workers, ahead):
    cluster = Cluster(workers, 4, ahead, 0.01, 0.02, 0.03, 2.0, 0.001, 0.001)
    found = simulate(TIMES, cluster)
    assert found.efficiency + sum(found.lost.values()) == pytest.approx(1.0)
    assert all(share >= -1e-12 for share in found.lost.values())
    longest = max(sum(TIMES[first : first + 4]) for first in range(0, len(TIMES), 4))
    assert found.seconds >= max(sum(TIMES) / workers, longest)
