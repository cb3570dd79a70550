"""Distributions: analytic moments, texts, and every way to get one wrong."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geomface.errors import FileFormatError, GeomfaceError
from geomface.synthesis import (
    Constant,
    Distribution,
    DistributionError,
    Empirical,
    Gaussian,
    Mixture,
    Uniform,
    draw,
    draw_many,
    format_distribution,
    mean_of,
    parse_distribution,
    stream,
    variance_of,
)
from geomface.synthesis.drawing import choose

NUMBERS = st.floats(-50, 50).map(lambda value: round(value, 3))
PLAIN = st.one_of(
    st.builds(Constant, NUMBERS),
    st.tuples(NUMBERS, NUMBERS).map(lambda ends: Uniform(min(ends), max(ends))),
    st.builds(Gaussian, NUMBERS, st.floats(0, 20)),
    st.lists(NUMBERS, min_size=1, max_size=6).map(lambda values: Empirical(tuple(values))),
)


@st.composite
def mixtures(strategy: st.DrawFn, parts: st.SearchStrategy[Distribution]) -> Mixture:
    chosen = strategy(st.lists(parts, min_size=1, max_size=4))
    weights = np.array([strategy(st.floats(0.01, 1)) for _ in chosen])
    return Mixture(tuple(chosen), tuple(weights / weights.sum()))


DISTRIBUTIONS = st.recursive(PLAIN, mixtures, max_leaves=6)


@settings(max_examples=60, deadline=None)
@given(DISTRIBUTIONS, st.integers(0, 2**32))
def test_moments_are_the_analytic_ones(distribution: Distribution, seed: int) -> None:
    count = 20_000
    values = draw_many(distribution, stream(seed, "moments"), count)
    sigma = math.sqrt(variance_of(distribution))
    assert abs(values.mean() - mean_of(distribution)) <= 6 * sigma / math.sqrt(count) + 1e-9
    # A mixture with a rare part far off has a heavy fourth moment: take it from the sample.
    centred = (values - values.mean()) ** 2
    error = 7 * centred.std() / math.sqrt(count) + 1e-9
    rare = 7 * sigma**2 / math.sqrt(count) * 10
    assert abs(centred.mean() - variance_of(distribution)) <= error + rare


@settings(max_examples=100, deadline=None)
@given(DISTRIBUTIONS)
def test_text_and_back(distribution: Distribution) -> None:
    assert parse_distribution(format_distribution(distribution)) == distribution


def test_mixture_weights_within_three_sigma_at_1e5_draws() -> None:
    weights, count = (0.55, 0.25, 0.15, 0.05), 100_000
    mixture = Mixture(tuple(Constant(k) for k in range(4)), weights)
    for seed in range(3):
        shares = np.bincount(choose(mixture, stream(seed, "weights"), count), minlength=4) / count
        sigma = np.sqrt(np.array(weights) * (1 - np.array(weights)) / count)
        assert (np.abs(shares - weights) <= 3 * sigma).all()


def test_a_part_of_weight_zero_is_never_chosen() -> None:
    mixture = Mixture((Constant(0), Constant(1), Constant(2)), (0.0, 1.0, 0.0))
    assert set(choose(mixture, stream(0, "zero"), 10_000)) == {1}


def test_a_mixture_chooses_once_for_a_vector() -> None:
    mixture = Mixture((Constant(-1.0), Constant(1.0)), (0.5, 0.5))
    rows = np.stack([draw(mixture, stream(0, "rows", k), 5) for k in range(64)])
    assert (np.ptp(rows, axis=1) == 0).all() and set(rows[:, 0]) == {-1.0, 1.0}


def test_rows_are_drawn_whole(tmp_path) -> None:
    rows = np.arange(12.0).reshape(4, 3)
    np.save(tmp_path / "rows.npy", rows)
    distribution = parse_distribution(f"empirical({tmp_path}/rows.npy)")
    assert isinstance(distribution, Empirical) and distribution.width == 3
    seen = {tuple(draw(distribution, stream(1, "rows", k), 3)) for k in range(100)}
    assert seen == {tuple(row) for row in rows}
    with pytest.raises(DistributionError, match="rows of 2 numbers here, got rows of 3"):
        draw(distribution, stream(0, "rows"), 2)
    with pytest.raises(DistributionError, match=r"numpy\.save"):
        format_distribution(distribution)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("gaussian(0,-2)", "expected a sigma of 0 or more, got -2"),
        ("mixture(0.5*gaussian(0,1),0.4*constant(2))", "sum to 1, got 0.5, 0.4"),
        ("mixture(1.5*constant(1),-0.5*constant(2))", "weights of 0 or more"),
        ("mixture(constant(1),constant(2))", "has no weight in front"),
        ("mixture()", "has no weight in front"),
        ("uniform(3,1)", "the lower bound first"),
        ("uniform(3)", "uniform takes 2 numbers, got 1"),
        ("gaussian(0,inf)", "expected a finite sigma"),
        ("gaussian(0,wide)", "'wide' is not a number"),
        ("normal(0,1)", "'normal' is not a distribution"),
        ("gaussian(0,1", "is none of them"),
        ("mixture(1*gaussian(0,1)))", "brackets do not match"),
        ("empirical()", "is not a number"),
        ("empirical(1,nan)", "NaN or infinity"),
        ("", "is none of them"),
    ],
)
def test_bad_texts_are_refused_in_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(DistributionError) as caught:
        parse_distribution(text)
    assert sentence in str(caught.value) and str(caught.value).endswith(".")


def test_bad_files_are_refused(tmp_path) -> None:
    (tmp_path / "text.npy").write_text("not numpy")
    np.save(tmp_path / "words.npy", np.array(["a", "b"]))
    for name, sentence in (
        ("missing.npy", "no such file"),
        ("text.npy", "could not read"),
        ("words.npy", "expected numbers of shape"),
    ):
        with pytest.raises(FileFormatError, match=sentence):
            parse_distribution(f"empirical({tmp_path}/{name})")


@pytest.mark.parametrize(
    "make",
    [
        lambda: Gaussian(0.0, -1.0),
        lambda: Gaussian(math.nan, 1.0),
        lambda: Constant("3"),  # type: ignore[arg-type]
        lambda: Uniform(1, 0),
        lambda: Empirical(()),
        lambda: Empirical(((1.0, 2.0), (3.0,))),
        lambda: Mixture((Constant(1),), (0.5, 0.5)),
        lambda: Mixture((), ()),
        lambda: Mixture((Constant(1), Constant(2)), (0.5, math.nan)),
    ],
)
def test_bad_distributions_cannot_be_made(make) -> None:
    with pytest.raises(DistributionError):
        make()
    assert issubclass(DistributionError, GeomfaceError)


def test_streams_depend_on_what_they_are_for_only() -> None:
    first = stream(1, "pose", 2, 3).random(4)
    stream(1, "light", 2, 3).random(100)
    np.testing.assert_array_equal(stream(1, "pose", 2, 3).random(4), first)
    others = [stream(*key) for key in ((2, "pose", 2, 3), (1, "light", 2, 3), (1, "pose", 3, 3))]
    others.append(stream(1, "pose", 2, 4))
    for other in others:
        assert not np.isin(other.random(1000), first).any()
    with pytest.raises(GeomfaceError, match="seed: expected 0 to"):
        stream(-1, "pose")
