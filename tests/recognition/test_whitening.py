"""Whitening within people: what it is, what it does to verification, its file."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from geomface.errors import FileFormatError, SettingsError
from geomface.files.tensors import load_tensors, save_tensors
from geomface.metrics import verify_identities
from geomface.recognition import (
    FaceEmbedder,
    Whitening,
    alignment_of,
    build_network,
    default_network,
    fit_whitening,
    load_embedder,
    save_embedder,
)


def descriptors(people: int, samples: int, seed: int, size: int = 6):
    """Return people who differ evenly, pictures that differ most along the first axes."""
    rng = np.random.default_rng(seed)
    who = np.repeat(np.arange(people), samples)
    noise = rng.normal(size=(len(who), size)) * np.linspace(2.0, 0.1, size)
    return rng.normal(size=(people, size))[who] + noise, who


def test_scatter_within_people_is_even_afterwards() -> None:
    rows, who = descriptors(400, 5, 0)
    whitening = fit_whitening(rows, who, shrinkage=1e-9)
    assert whitening is not None
    moved = (rows - whitening.mean) @ whitening.matrix.T
    centres = np.stack([moved[who == k].mean(axis=0) for k in range(400)])
    off = moved - centres[who]
    np.testing.assert_allclose(off.T @ off / (len(rows) - 400), np.eye(6), atol=1e-6)
    np.testing.assert_allclose(whitening.matrix, whitening.matrix.T)
    np.testing.assert_allclose(whitening.mean, rows.mean(axis=0))


def test_people_unseen_are_told_apart_better() -> None:
    whitening = fit_whitening(*descriptors(200, 4, 1))
    rows, who = descriptors(60, 4, 2)
    assert whitening is not None
    before, after = (verify_identities(x, who).equal_error for x in (rows, whitening.apply(rows)))
    assert after < 0.7 * before
    np.testing.assert_allclose(np.linalg.norm(whitening.apply(rows), axis=1), 1.0)


def test_unknown_pictures_tell_nothing() -> None:
    rows, who = descriptors(50, 3, 3)
    more = np.concatenate([rows, 100.0 + rows])
    with_others = fit_whitening(more, np.concatenate([who, np.full(len(rows), -1)]))
    alone = fit_whitening(rows, who)
    assert with_others is not None and alone is not None
    np.testing.assert_array_equal(with_others.matrix, alone.matrix)


def test_mixed_people_lie_between_their_centres() -> None:
    rng = np.random.default_rng(6)
    centres, share = rng.normal(size=(80, 6)), rng.random(1200)
    people = np.stack([rng.integers(80, size=1200), rng.integers(80, size=1200)], axis=1)
    shares = np.stack([share, 1.0 - share], axis=1)
    noise = rng.normal(size=(1200, 6)) * np.linspace(2.0, 0.1, 6)
    mixed = np.einsum("nk,nkd->nd", shares, centres[people]) + noise
    found = fit_whitening(mixed, people, shares, shrinkage=1e-9)
    assert found is not None
    wanted = np.diag(1.0 / np.linspace(2.0, 0.1, 6))
    np.testing.assert_allclose(found.matrix, wanted, rtol=0.08, atol=0.3)


def test_shares_of_one_person_change_nothing() -> None:
    rows, who = descriptors(50, 3, 7)
    people = np.stack([who, np.full(len(who), -1)], axis=1)
    shares = np.stack([np.ones(len(who)), np.zeros(len(who))], axis=1)
    plain, told = fit_whitening(rows, who), fit_whitening(rows, people, shares)
    assert plain is not None and told is not None
    np.testing.assert_allclose(told.matrix, plain.matrix, rtol=1e-6, atol=1e-9)


def test_too_little_to_tell() -> None:
    rows, who = descriptors(4, 2, 4)
    assert fit_whitening(rows, who) is None  # 8 - 4 < 6
    assert fit_whitening(np.ones((40, 6)), np.repeat(np.arange(10), 4)) is None  # no scatter
    assert fit_whitening(np.zeros((0, 6)), np.zeros(0, np.int64)) is None
    with pytest.raises(SettingsError, match="shrinkage"):
        fit_whitening(rows, who, shrinkage=0.0)


def test_few_pictures_harm_nobody() -> None:
    # All directions are as good: whatever a whitening does to people unseen is harm.
    rng = np.random.default_rng(8)
    centres, who = rng.normal(size=(80, 40)), np.repeat(np.arange(80), 4)
    unseen = centres[who] + 1.2 * rng.normal(size=(320, 40))
    few = np.repeat(np.arange(22), 3)  # 66 - 22 = 44 >= 40
    rows = rng.normal(size=(22, 40))[few] + 1.2 * rng.normal(size=(66, 40))
    kept, bold = fit_whitening(rows, few), fit_whitening(rows, few, shrinkage=0.1)
    assert kept is not None and bold is not None
    raw, safe, harmed = (
        verify_identities(x, who).equal_error
        for x in (unseen - unseen.mean(axis=0), kept.apply(unseen), bold.apply(unseen))
    )
    assert safe - raw < 0.5 * (harmed - raw)


def test_of_many_pictures_a_tenth_is_even() -> None:
    rows, who = descriptors(50, 3, 9)
    found, told = fit_whitening(rows, who), fit_whitening(rows, who, shrinkage=0.1)
    assert found is not None and told is not None
    np.testing.assert_array_equal(found.matrix, told.matrix)


def test_bad_input() -> None:
    rows, who = descriptors(50, 3, 10)
    holed = np.where(np.arange(150)[:, None] == 3, np.nan, rows)
    with pytest.raises(SettingsError, match="NaN or infinity"):
        fit_whitening(holed, who)
    assert fit_whitening(holed, np.where(np.arange(150) == 3, -1, who)) is not None
    with pytest.raises(SettingsError, match="identities: expected"):
        fit_whitening(rows, who[1:])
    with pytest.raises(SettingsError, match="whole numbers"):
        fit_whitening(rows, who.astype(str))
    with pytest.raises(SettingsError, match="shares: expected"):
        fit_whitening(rows, who[:, None], np.ones(150))
    whitening = fit_whitening(rows, who)
    assert whitening is not None
    for wrong in (rows[:, :5], rows[0]):
        with pytest.raises(SettingsError, match="descriptors to whiten"):
            whitening.apply(wrong)


def small_embedder(whitening: Whitening | None) -> FaceEmbedder:
    settings = dataclasses.replace(
        default_network("compact"), height=28, width=24, descriptor_size=6
    )
    return FaceEmbedder(build_network(settings).eval(), alignment_of("28x24"), whitening=whitening)


def test_half_a_whitening_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "e.safetensors"
    save_embedder(path, small_embedder(fit_whitening(*descriptors(50, 4, 5))))
    arrays, header = load_tensors(path, kind="face-embedder", schema=1)
    del arrays["whitening/mean"]
    save_tensors(path, arrays, kind="face-embedder", schema=1, units=None, config=header["config"])
    with pytest.raises(FileFormatError, match="one of them"):
        load_embedder(path)


def test_a_whitening_of_nothing_is_told() -> None:
    faces = np.random.default_rng(0).random((3, 28, 24, 3)).astype(np.float32)
    with pytest.raises(SettingsError, match="tell nothing"):
        small_embedder(Whitening(np.zeros(6), np.zeros((6, 6)))).embed(faces)


def test_an_embedder_keeps_it(tmp_path: Path) -> None:
    save_embedder(tmp_path / "e.safetensors", small_embedder(fit_whitening(*descriptors(50, 4, 5))))
    again = load_embedder(tmp_path / "e.safetensors")
    faces = np.random.default_rng(0).random((3, 28, 24, 3)).astype(np.float32)
    plain = dataclasses.replace(again, whitening=None).embed(faces)
    assert again.whitening is not None
    np.testing.assert_allclose(again.embed(faces), again.whitening.apply(plain))
    assert np.abs(again.embed(faces) - plain).max() > 0.01


def test_of_another_size() -> None:
    network = build_network(default_network("compact"))
    with pytest.raises(SettingsError, match="a whitening of 128 numbers"):
        FaceEmbedder(network, alignment_of("56x48"), whitening=Whitening(np.zeros(6), np.eye(6)))
    with pytest.raises(SettingsError, match="finite"):
        Whitening(np.zeros(2), np.full((2, 2), np.nan))
    with pytest.raises(SettingsError, match="matrix"):
        Whitening(np.zeros(2), np.eye(3))
