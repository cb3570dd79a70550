"""Faces beside photographs: the frame, statistics of pictures with known answers, the witnesses."""

from pathlib import Path

import numpy as np
import pytest

from geomface.errors import LandmarkError, SettingsError
from geomface.metrics.distinctness import between_over_within
from geomface.metrics.face_frame import HEIGHT, WIDTH, frame_face
from geomface.metrics.face_sets import FramedFaces, compare_face_sets
from geomface.metrics.gradient_features import gradient_histograms
from geomface.metrics.photograph_statistics import (
    BAND_EDGES,
    EYES,
    FACE,
    contrast_bands,
    face_statistics,
)
from geomface.metrics.telling_apart import tell_apart

ORL = Path(__file__).parents[3] / "shared" / "data" / "orl" / "orl_dev.npz"


def landmarks_at(scale: float, corner: tuple[float, float]) -> np.ndarray:
    """Landmarks of a face that fits the frame exactly, seen at a scale and place."""
    points = np.full((68, 2), 50.0)
    points[36:42], points[42:48] = (28.5, 51.0), (63.5, 51.0)
    points[30], points[48], points[54] = (46.0, 69.0), (35.0, 83.0), (57.0, 83.0)
    return scale * points + corner


def ramp(height: int, width: int) -> np.ndarray:
    """Brightness that grows evenly to the right and down."""
    rows, columns = np.mgrid[:height, :width] + 0.5
    return ((columns + 2.0 * rows) / 1024.0).astype(np.float32)


@pytest.mark.parametrize("scale", [0.8, 1.0, 2.3])
def test_frame_shows_the_face_at_its_place(scale: float) -> None:
    corner = (30.4, 21.7)
    framed = frame_face(ramp(300, 260), landmarks_at(scale, corner))
    assert framed is not None and framed.scale == pytest.approx(scale)
    rows, columns = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    expected = (scale * columns + corner[0] + 2.0 * (scale * rows + corner[1])) / 1024.0
    # Pixels that are not whole within another weigh a little unevenly.
    np.testing.assert_allclose(framed.picture, expected, atol=2.0 / 1024.0)


def test_frame_of_other_faces() -> None:
    image = ramp(2 * HEIGHT, 3 * WIDTH)
    bare = frame_face(image)
    assert bare is not None and bare.scale == 2.0
    wanted = image[:, WIDTH // 2 : WIDTH // 2 + 2 * WIDTH]
    wanted = wanted.reshape(HEIGHT, 2, WIDTH, 2).mean(axis=(1, 3))
    np.testing.assert_allclose(bare.picture, wanted, atol=1e-6)
    points = landmarks_at(1.0, (20.0, 20.0))
    turned, missing = points.copy(), points.copy()
    turned[30, 0] += 15.0
    missing[54] = np.nan
    assert frame_face(image, turned) is None and frame_face(image, missing) is None
    assert frame_face(image, points - 5000.0) is None
    assert frame_face(image, 1e7 * points) is None
    tiny = landmarks_at(0.17, (20.0, 20.0))
    assert frame_face(image, tiny) is None and frame_face(image[:19, :90]) is None
    assert frame_face(image, tiny / 0.17 * 0.19) is not None
    assert frame_face(image[:22, :90]) is not None
    with pytest.raises(LandmarkError, match=r"\(68, 2\)"):
        frame_face(image, points[:51])
    with pytest.raises(SettingsError, match="photograph: expected pixels"):
        frame_face(np.zeros((4, 4, 5), np.float32))


@pytest.mark.parametrize("length", [4.0, 8.0, 16.0])
def test_bands_of_a_wave(length: float) -> None:
    size, mean, amplitude = 96, 0.4, 0.1
    wave = mean + amplitude * np.sin(2 * np.pi * np.arange(size) / length)
    picture = np.broadcast_to(wave, (1, size, size)).copy()
    region = np.zeros((size, size), bool)
    region[16:80, 16:80] = True  # whole waves
    kept = np.exp(-2.0 * (np.pi * np.array(BAND_EDGES) / length) ** 2)
    expected = amplitude / np.sqrt(2.0) / mean * -np.diff(kept)
    # A Gaussian of 0.7 pixels that is sampled at pixels is a little wider than one that is not.
    found = contrast_bands(picture, region)[0]
    np.testing.assert_allclose(found, expected, rtol=0.012, atol=2e-3 * amplitude)


def test_statistics_of_plain_faces() -> None:
    flat = np.full((1, HEIGHT, WIDTH), 0.3)
    found = {name: values[0] for name, values in face_statistics(flat).items()}
    ones = {"darkest 2 % over median", "eye white over skin"}
    for name, value in found.items():
        expected = 1.0 if name in ones else 0.3 if name == "brightness" else 0.0
        assert value == pytest.approx(expected, abs=1e-12), name
    marked = flat.copy()
    marked[0, EYES] = 0.45
    dark = np.flatnonzero(FACE & ~EYES)
    marked.reshape(-1)[dark[: round(0.04 * FACE.sum())]] = 0.12
    found = face_statistics(marked)
    assert found["eye white over skin"][0] == pytest.approx(1.5)
    assert found["darkest 2 % over median"][0] == pytest.approx(0.4)
    brighter = face_statistics(2.0 * marked)
    for name in found:
        factor = 2.0 if name == "brightness" else 1.0
        np.testing.assert_allclose(brighter[name], factor * found[name], atol=1e-12)
    with pytest.raises(SettingsError, match="picture 0 is black"):
        face_statistics(0.0 * flat)
    with pytest.raises(SettingsError, match="NaN"):
        face_statistics(flat * np.nan)
    with pytest.raises(SettingsError, match="expected an array of shape"):
        face_statistics(flat[:, 1:])


def test_statistics_of_photographs() -> None:
    if not ORL.is_file():
        pytest.skip("the photographs in ../shared/data are not there")
    pictures = np.load(ORL)["images"].reshape(-1, HEIGHT, WIDTH) / 255.0
    found = {name: np.median(values) for name, values in face_statistics(pictures).items()}
    assert 0.028 < found["contrast 0 to 0.7 px"] < 0.033
    assert 0.045 < found["contrast 1.4 to 2.8 px"] < 0.058
    assert found["contrast of the face"] == pytest.approx(0.27, rel=0.15)
    assert found["darkest 2 % over median"] == pytest.approx(0.38, rel=0.15)
    assert found["eye white over skin"] == pytest.approx(1.28, rel=0.15)


def test_histograms_know_directions_and_no_contrast() -> None:
    columns = np.broadcast_to(np.linspace(0.1, 0.9, 40), (1, 40, 40))
    found = gradient_histograms(np.concatenate([columns, columns.transpose(0, 2, 1)]))
    found = found.reshape(2, 25, 9)
    assert (found[0].argmax(axis=1) == 0).all() and found[0][:, 1:].max() < 1e-6
    assert set(found[1].argmax(axis=1)) <= {4, 5}  # 90 degrees lie between two bins
    rng = np.random.default_rng(0)
    busy = rng.random((1, 40, 40))
    np.testing.assert_allclose(
        gradient_histograms(busy), gradient_histograms(0.3 * busy + 0.2), atol=0.01
    )
    with pytest.raises(SettingsError, match="at least 8 pixels"):
        gradient_histograms(np.zeros((1, 5, 40)))


def test_telling_apart_needs_a_difference_of_sets() -> None:
    rng = np.random.default_rng(1)
    people = np.repeat(np.arange(20), 5)
    # People differ much, pictures of one little: only who divides by people is not fooled.
    first, second = (
        rng.normal(size=(20, 60))[people] + 0.1 * rng.normal(size=(100, 60)) for _ in range(2)
    )
    same = tell_apart(first, second, people, people)
    assert 0.3 < same.accuracy.value < 0.7 and abs(same.separation) < 1.0
    assert same.accuracy.low < 0.5 < same.accuracy.high and same.accuracy.n == 40
    shifted = [tell_apart(first, second + by, people, people) for by in (1.0, 2.0)]
    assert shifted[1].accuracy.value == 1.0
    assert same.separation < shifted[0].separation < shifted[1].separation
    again = tell_apart(1000.0 * first + 7.0, 1000.0 * (second + 1.0) + 7.0, people, people)
    assert again.separation == pytest.approx(shifted[0].separation)
    with pytest.raises(SettingsError, match="two people or more"):
        tell_apart(first, second, people, 0 * people)


def test_between_over_within_people() -> None:
    rng = np.random.default_rng(2)
    people = np.repeat(np.arange(400), rng.integers(1, 6, 400))
    features = 1.5 * rng.normal(size=(400, 8))[people] + rng.normal(size=(len(people), 8))
    assert between_over_within(features, people) == pytest.approx(2.25, rel=0.1)
    same = between_over_within(rng.normal(size=features.shape), people)
    assert abs(same) < 0.05
    with pytest.raises(SettingsError, match="between and within people"):
        between_over_within(features[:5], np.arange(5))


def drawn_faces(count: int, contrast: float, seed: int) -> FramedFaces:
    """Smooth noise, five pictures a person."""
    from scipy.ndimage import gaussian_filter

    rng = np.random.default_rng(seed)
    people = np.arange(count) // 5
    whole = rng.normal(size=(count // 5, HEIGHT, WIDTH))[people]
    noise = gaussian_filter(whole + rng.normal(size=(count, HEIGHT, WIDTH)), (0, 2, 2))
    pictures = np.clip(0.5 + contrast * noise, 0.05, 1.0).astype(np.float32)
    return FramedFaces(pictures, [f"p{person}" for person in people])


def test_sets_are_compared_with_what_photographs_differ_by() -> None:
    photographs = drawn_faces(80, 0.5, 0)
    alike = compare_face_sets(drawn_faces(40, 0.5, 1), photographs)
    flat = compare_face_sets(drawn_faces(40, 0.2, 1), photographs)
    assert alike.compared == 40
    for name, both in alike.features.items():
        assert both.frechet < 1.3 * both.frechet_of_photographs, name
        assert both.telling_apart.accuracy.value < 0.75, name
        assert both.between_people is not None
    name = "contrast 1.4 to 2.8 px"
    assert alike.statistics[name].ratio == pytest.approx(1.0, abs=0.1)
    assert flat.statistics[name].ratio == pytest.approx(0.4, abs=0.05)
    assert flat.features["statistics"].telling_apart.accuracy.value > 0.95
    again = compare_face_sets(drawn_faces(40, 0.2, 1), photographs)
    assert again.patches == flat.patches


def test_rims_without_contrast_do_not_outweigh_faces() -> None:
    quiet, busy = drawn_faces(80, 0.5, 0), drawn_faces(80, 0.5, 1)
    rows, columns = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    outside = np.hypot((columns - 46) / 30, (rows - 62) / 41) > 1.0
    photographs = FramedFaces(np.where(outside, np.float32(0.5), quiet.pictures), quiet.people)
    people = compare_face_sets(busy, photographs).features["gradients"].between_people
    alone = compare_face_sets(busy, busy).features["gradients"].between_people
    assert people == pytest.approx(alone, rel=0.1)


def test_sets_that_say_nothing_are_refused() -> None:
    photographs = drawn_faces(20, 0.5, 0)
    with pytest.raises(SettingsError, match="faces: expected 16 pictures"):
        compare_face_sets(FramedFaces(photographs.pictures[:5], ["a"] * 5), photographs)
    with pytest.raises(SettingsError, match="two people or more"):
        compare_face_sets(photographs, FramedFaces(photographs.pictures, ["a"] * 20))
    flat = FramedFaces(np.full_like(photographs.pictures, 0.5), photographs.people)
    with pytest.raises(SettingsError, match="photographs: .* have no contrast 0 to"):
        compare_face_sets(photographs, flat)
    with pytest.raises(SettingsError, match="window: expected one of"):
        compare_face_sets(photographs, photographs, window="eyes")
    with pytest.raises(SettingsError, match="expected a person for each"):
        FramedFaces(photographs.pictures, ["a"])
