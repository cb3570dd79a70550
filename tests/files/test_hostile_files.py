"""Every reader against damaged and hostile files; `tests/benchmarks/hostile_files.py` does more."""

import warnings

import numpy as np
import pytest
from hostile_samples import spoiled, write_samples

from geomface.errors import GeomfaceError, OutOfMemoryError


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    return write_samples(tmp_path_factory.mktemp("hostile"))


def test_all_samples_are_good(samples):
    for path, read in samples.values():
        assert read(path) is not None


@pytest.mark.parametrize("seed", range(6))
def test_spoiled_files_end_in_sentences(samples, seed):
    for number, (name, (path, read)) in enumerate(samples.items()):
        good = path.read_bytes()
        path.write_bytes(spoiled(good, np.random.default_rng([seed, number])))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                read(path)
        except GeomfaceError as error:
            assert str(error) and not isinstance(error, OutOfMemoryError), name
        finally:
            path.write_bytes(good)
