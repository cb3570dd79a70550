"""Commands that are killed and disturbed end in the bytes of those that were not; nothing is left.

The short form disturbs one batch and one training; `-m slow` every long command on every executor,
which kills more than 200 times.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fault_bench import Bench, Finding, running_bench
from fault_commands import COMMANDS, LongCommand
from fault_kills import TARGETS, kill_often
from fault_kinds import FAULTS, MOUNTED, disturb, faults_of

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/stat").is_file(), reason="sessions are found in /proc, which Linux has"
)
NAMED = {command.name: command for command in COMMANDS}
ENDS = {
    "clock": {0},
    "interrupt": {130},
    "little memory": {0, 1, 3},
    "segfault": {-11},
    "hang": {-9},
    "read-only half-way": {0, 1, 3},
    "permission lost": {0, 1, 3},
    "item: garbage": {3},
    **dict.fromkeys(("item: no memory", "item: killed for memory"), {3}),
    **dict.fromkeys(("item: segfault", "item: hang"), {3}),
}
"""Exit codes that a fault may end in, where 1 is not the only one."""
SEEDS = 3
"""Rounds of the slow kills."""


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with running_bench(tmp_path_factory.mktemp("faults")) as running:
        yield running


@pytest.fixture(scope="module")
def clustered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with running_bench(tmp_path_factory.mktemp("clustered"), cluster=True) as running:
        yield running


def check(finding: Finding) -> None:
    """Nothing lost, nothing left, and a sentence where the command could say one."""
    assert finding.good, str(finding)
    assert finding.code in ENDS.get(finding.fault, {1}), str(finding)
    if finding.code == 1:
        assert finding.sentence.startswith("error: "), str(finding)
        assert "defect" not in finding.sentence, str(finding)


def check_fault(bench: Bench, command: LongCommand, executor: str, fault: str) -> None:
    if fault in MOUNTED and not bench.server.mounts:
        pytest.skip("this system lets nobody make a name space in which to mount")
    check(disturb(bench, command, executor, fault))


@pytest.mark.parametrize("name", ["synth faces", "train progressive_texture"])
def test_a_command_that_is_killed_ends_as_one_that_was_not(bench: Bench, name: str) -> None:
    finding = kill_often(bench, NAMED[name], "serial", "client", seed=0, kills=2)
    assert finding.good, str(finding)


@pytest.mark.parametrize(
    "fault", ["full disk", "read-only half-way", "permission lost", "clock", "item: garbage"]
)
def test_a_batch_is_disturbed(bench: Bench, fault: str) -> None:
    check_fault(bench, NAMED["synth faces"], "serial", fault)


@pytest.mark.parametrize("fault", ["full disk", "little memory", "two runs", "interrupt"])
def test_a_training_is_disturbed(bench: Bench, fault: str) -> None:
    check_fault(bench, NAMED["train progressive_texture"], "serial", fault)


def _kills(cluster: bool) -> list[tuple[str, str, str, int]]:
    return [
        (command.name, executor, target, seed)
        for command in COMMANDS
        for executor, targets in TARGETS.items()
        if (executor == "cluster") == cluster and (command.batch or executor == "serial")
        for target in targets
        for seed in range(SEEDS)
    ]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "executor", "target", "seed"), _kills(cluster=False))
def test_kills(bench: Bench, name: str, executor: str, target: str, seed: int) -> None:
    finding = kill_often(bench, NAMED[name], executor, target, seed)
    assert finding.good, str(finding)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "executor", "target", "seed"), _kills(cluster=True))
def test_kills_on_a_cluster(
    clustered: Bench, name: str, executor: str, target: str, seed: int
) -> None:
    finding = kill_often(clustered, NAMED[name], executor, target, seed)
    assert finding.good, str(finding)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "executor", "fault"),
    [
        (command.name, executor, fault)
        for command in COMMANDS
        for executor in (("serial", "processes", "dask") if command.batch else ("serial",))
        for fault in FAULTS
        if fault in faults_of(command, executor)
    ],
)
def test_faults(bench: Bench, name: str, executor: str, fault: str) -> None:
    check_fault(bench, NAMED[name], executor, fault)
