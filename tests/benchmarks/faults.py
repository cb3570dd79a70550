"""Long commands killed and disturbed; each must end in the bytes of an undisturbed run.

python tests/benchmarks/faults.py --out DIR [--kills 200] [--executors serial cluster ...]
    [--commands "synth faces" ...] [--faults "full disk" ...] [--no-faults] [--chain 3] [--seed 0]
python tests/benchmarks/faults.py --out DIR --summary

Every finding is a line of DIR/findings.jsonl; several calls may share a folder.
"""

import argparse
import collections
import dataclasses
import json
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

_TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(_TESTS / "faults"), str(_TESTS / "batch")]

from fault_bench import Bench, Finding, running_bench  # noqa: E402
from fault_commands import COMMANDS, LongCommand  # noqa: E402
from fault_kills import TARGETS, kill_often  # noqa: E402
from fault_kinds import MOUNTED, disturb, faults_of  # noqa: E402

_PLACE = re.compile(r"/\S*/")
"""The folders of a path."""


def main() -> int:
    """Do what is asked for and print the tables; the exit code says whether anything was lost."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--kills", type=int, default=200, help="at least, over all executors asked")
    parser.add_argument("--executors", nargs="*", default=[*TARGETS])
    parser.add_argument("--commands", nargs="*", default=[command.name for command in COMMANDS])
    parser.add_argument("--faults", nargs="*", help="names; without, all")
    parser.add_argument("--no-faults", action="store_true", help="kills only")
    parser.add_argument("--chain", type=int, default=3, help="kills before a command may end")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--summary", action="store_true", help="only print what is there")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    file = options.out / "findings.jsonl"
    if not options.summary:
        with tempfile.TemporaryDirectory(dir=options.out) as folder, open(file, "a") as log:
            cluster = "cluster" in options.executors and options.kills > 0
            with running_bench(Path(folder).resolve(), cluster=cluster) as bench:
                for finding in findings(bench, options):
                    print(finding, flush=True)
                    log.write(json.dumps(dataclasses.asdict(finding)) + "\n")
                    log.flush()
    found = [Finding(**json.loads(line)) for line in file.read_text().splitlines()]
    print(summary(found))
    return 0 if all(finding.good for finding in found) else 1


def findings(bench: Bench, options: argparse.Namespace) -> Iterator[Finding]:
    """Yield what comes of every fault, and of kills in rounds until there are enough."""
    named = {command.name: command for command in COMMANDS}
    commands = [named[name] for name in options.commands]
    if not options.no_faults:
        for command in commands:
            for executor in options.executors:
                yield from _disturbed(bench, command, executor, options.faults)
    kills, seed = 0, options.seed
    while kills < options.kills:
        before = kills
        for command in commands:
            for executor in options.executors:
                if not command.batch and executor != "serial":
                    continue
                for target in TARGETS[executor]:
                    finding = kill_often(bench, command, executor, target, seed, options.chain)
                    kills += finding.kills
                    yield finding
        if kills == before:
            raise RuntimeError("nothing could be killed")
        seed += 1


def _disturbed(
    bench: Bench, command: LongCommand, executor: str, wanted: list[str] | None
) -> Iterator[Finding]:
    if executor == "cluster" or not (command.batch or executor == "serial"):
        return
    for fault in faults_of(command, executor):
        if fault in MOUNTED and not bench.server.mounts:
            continue
        if wanted is None or fault in wanted:
            yield disturb(bench, command, executor, fault)


def summary(found: list[Finding]) -> str:
    """Return the tables: kills by command and executor; faults by command."""
    kills = [finding for finding in found if finding.fault.startswith("kill ")]
    counts: dict = collections.Counter()
    for finding in kills:
        counts[finding.command, finding.executor] += finding.kills
    executors = [name for name in TARGETS if any(key[1] == name for key in counts)]
    lines = ["| command | " + " | ".join(executors) + " | lost or wrong | stale | left |"]
    lines.append("|---" * (len(executors) + 4) + "|")
    for command in dict.fromkeys(finding.command for finding in kills):
        own = [finding for finding in kills if finding.command == command]
        cells = [str(counts.get((command, name), "")) for name in executors]
        lines.append(f"| {command} | {' | '.join(cells)} | {_lost(own)} |")
    total = [str(sum(counts[key] for key in counts if key[1] == name)) for name in executors]
    lines.append(f"| all, {sum(counts.values())} | {' | '.join(total)} | {_lost(kills)} |")
    targets: dict = collections.Counter()
    for finding in kills:
        targets[finding.fault] += finding.kills
    lines.append("\n" + ", ".join(f"{name}: {count}" for name, count in sorted(targets.items())))
    lines += ["", "| fault | command | where | exit code | told | again | same bytes |"]
    lines.append("|---|---|---|---|---|---|---|")
    for finding in sorted(found, key=lambda one: (one.fault, one.command, one.executor)):
        if finding not in kills:
            told = _PLACE.sub("…", finding.sentence).replace("|", "/")[:160]
            same = "yes" if finding.good else f"NO {finding.wrong[:2]} {finding.stale[:2]}"
            if finding.good and finding.code == 0 and finding.fault != "clock":
                same = "yes, but it was over before"
            lines.append(
                f"| {finding.fault} | {finding.command} | {finding.executor} | {finding.code} | "
                f"{told} | {finding.resumed} | {same} |"
            )
    return "\n".join(lines)


def _lost(found: list[Finding]) -> str:
    wrong = sum(bool(one.wrong) or one.resumed != 0 for one in found)
    return f"{wrong} | {sum(map(len, (one.stale for one in found)))} | {sum(o.left for o in found)}"


if __name__ == "__main__":
    began = time.monotonic()
    code = main()
    print(f"{time.monotonic() - began:.0f} s")
    sys.exit(code)
