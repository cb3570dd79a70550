"""Kills at moments that are drawn: of the client, a worker, the scheduler, any process."""

import random
import signal

from dask_cluster import running_cluster
from fault_bench import Bench, Finding
from fault_commands import LongCommand
from fault_kit import Started, send, sessions

TARGETS = {
    "serial": ("client",),
    "processes": ("client", "worker", "any"),
    "dask": ("client", "worker", "any"),
    "cluster": ("client", "worker", "scheduler"),
}
"""Who can be killed, by executor."""


def kill_often(
    bench: Bench, command: LongCommand, executor: str, target: str, seed: int, kills: int = 3
) -> Finding:
    """Kill so often, start the command again where that ended it, let the last life end, compare.

    A life that ends well before it is killed is the last one.
    """
    rng = random.Random(f"{command.name} {executor} {target} {seed}")
    seconds, out = bench.seconds(command, executor), bench.new_out()
    finding = Finding(command.name, executor, f"kill {target}")
    lives: list[Started] = []
    while finding.kills < kills:
        life = bench.start(command, executor, out)
        lives.append(life)
        while finding.kills < kills and not _ended(life, rng.uniform(0.0, 0.8 * seconds)):
            victim = choose(bench, life, target, rng)
            if victim is not None:
                finding.kills += send(victim, signal.SIGKILL)
            if victim is None or victim == life.pid or target == "scheduler":
                break
        finding.code, finding.sentence = life.wait(), life.sentence()
        if finding.code is None:
            finding.wrong = ("it hung",)
            life.end()
        if finding.code is None or finding.code == 0 or target == "scheduler":
            break
    if target != "client":
        bench.count_left(finding, *lives)  # else the next life begins beside what is left
    if target == "scheduler" and finding.kills:
        restart(bench)
    bench.finish(command, executor, out, finding)
    if target == "client":
        bench.count_left(finding, *lives)
    return finding


def _ended(life: Started, seconds: float) -> bool:
    """Wait, and say whether the command ended in the meantime."""
    return life.wait(seconds) is not None


def choose(bench: Bench, life: Started, target: str, rng: random.Random) -> int | None:
    """Return the process to kill, None where there is none of the kind."""
    if target == "client":
        return life.pid
    if target == "scheduler":
        return bench.cluster.scheduler.pid if bench.cluster else None
    if bench.cluster is not None and life.code is None and not life.workers():
        nannies = {worker.pid for worker in bench.cluster.workers}
        found = [pid for pid, (_, parent) in sessions().items() if parent in nannies]
    else:
        found = life.processes() if target == "any" else life.workers()
    return rng.choice(sorted(found)) if found else None


def restart(bench: Bench) -> None:
    """Start another cluster in the place of one whose scheduler is gone."""
    if bench.cluster is None:
        return
    for worker in bench.cluster.workers:
        worker.terminate()
    bench.clusters += 1
    folder = bench.folder / f"cluster{bench.clusters}"
    folder.mkdir()
    bench.cluster = bench.held.enter_context(
        running_cluster(folder, storage=bench.folder / "storage")
    )
