"""Thousands of spoiled files through every reader: nothing may end but in a value or a sentence.

python tests/benchmarks/fuzzing.py [--count 20000] [--seed 0] [--first 0] [--readers mesh ...]

An input is a number: --first N --count 1 does number N again.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "faults" / "fuzzing"))

from fuzz_harness import Finding, fuzz, summary  # noqa: E402
from fuzz_reader import write_samples  # noqa: E402
from fuzz_readers import chosen_readers  # noqa: E402


def main() -> int:
    """Fuzz, print the table and every failure; the exit code says whether there was one."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=20000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--readers", nargs="*", default=[], help="beginnings of names")
    parser.add_argument("--samples", type=Path, help="folder of the good files, kept")
    options = parser.parse_args()
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as temporary:
        folder = (options.samples or Path(temporary)).resolve()
        write_samples(folder, chosen_readers(options.readers))
        print(f"samples in {time.monotonic() - start:.0f} s", flush=True)
        numbers = range(options.first, options.first + options.count)
        findings: list[Finding] = []
        for finding in fuzz(folder, numbers, options.seed, options.readers):
            findings.append(finding)
            if not finding.good:
                print(finding, flush=True)
    print(summary(findings))
    print(f"{len(findings)} inputs, seed {options.seed}, {time.monotonic() - start:.0f} s")
    return 0 if all(finding.good for finding in findings) else 1


if __name__ == "__main__":
    sys.exit(main())
