"""Spoiled files through every reader: each ends in a value or in a sentence, in bounds.

`python tests/benchmarks/fuzzing.py` does the same with any number of inputs, and prints a table.
"""

import os
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from fuzz_harness import Finding, fuzz, summary  # noqa: E402
from fuzz_mutations import mutated  # noqa: E402
from fuzz_reader import schedule, write_samples  # noqa: E402
from fuzz_readers import all_readers, chosen_readers  # noqa: E402
from fuzz_traps import TRAPS  # noqa: E402

WHOLE = int(os.environ.get("GEOMFACE_FUZZ", "20000"))
"""Inputs of the long form."""
SHORT = 700


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Good files of every reader that takes no training to make."""
    folder = tmp_path_factory.mktemp("fuzzing")
    write_samples(folder, [reader for reader in all_readers() if not reader.slow])
    return folder


def check(findings: list[Finding], count: int) -> None:
    """Every input was told of, and ended well."""
    bad = [str(finding) for finding in findings if not finding.good]
    assert not bad, "\n".join(bad)
    assert [finding.number for finding in findings] == sorted({f.number for f in findings})
    assert len(findings) == count, summary(findings)
    # Neither are all files refused unread, nor are the changes too small to be noticed.
    told = Counter(finding.outcome for finding in findings)
    assert told["read"] > 0.1 * count and told["refused"] > 0.2 * count


def test_spoiled_files_end_in_sentences(samples: Path) -> None:
    quick = [reader.name for reader in all_readers() if not reader.slow]
    check(list(fuzz(samples, range(SHORT), 0, quick)), SHORT)


@pytest.mark.slow
def test_many_spoiled_files_end_in_sentences(tmp_path: Path) -> None:
    write_samples(tmp_path, all_readers())
    check(list(fuzz(tmp_path, range(WHOLE), 1)), WHOLE)


def test_an_input_is_its_number(samples: Path) -> None:
    """One seed gives one change, whatever was done before; another seed another."""
    order = schedule(chosen_readers(["mesh."]))
    others = {"a": b"other"}
    for number, reader in enumerate(order[:4]):
        path = reader.files(samples / reader.name)[0]
        data = path.read_bytes()

        def change(seed: int, number: int = number, path: Path = path, data: bytes = data) -> tuple:
            return mutated(data, path, np.random.default_rng([seed, number]), others)

        assert change(0) == change(0) != change(1)


def test_every_reader_gets_its_share() -> None:
    readers = all_readers()
    told = Counter(reader.name for reader in schedule(readers))
    assert told == {reader.name: reader.weight for reader in readers}


def test_the_harness_sees_what_it_is_for(tmp_path: Path) -> None:
    """Readers that end the process, never end, fill the memory, and so on, are each told apart."""
    write_samples(tmp_path, TRAPS)
    worker = HERE / "fuzz_traps.py"
    findings = fuzz(tmp_path, range(len(TRAPS)), 0, worker=worker)
    assert {finding.reader: finding.outcome for finding in findings} == {
        "crash": "crash",
        "hang": "hang",
        "fill": "memory",
        "bare": "bare",
        "away": "outside",
        "load": "code",
        "refuse": "refused",
    }
