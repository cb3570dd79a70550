"""The picture of descriptors in the plane."""

import numpy as np
import pytest

from geomface.errors import SettingsError
from geomface.report.embedding_figure import embedding_figure, planes_figure, spread_out
from geomface.report.model_figures import figure_image


def test_figure_shows_points_thumbnails_and_legend(rng: np.random.Generator) -> None:
    places = rng.standard_normal((40, 2))
    pictures = np.zeros((40, 16, 16, 3), np.float32)
    pictures[:, 4:12, 4:12] = (1.0, 0.0, 0.0)
    names = ["pale" if x < 0 else "dark" for x, _ in places]
    figure = embedding_figure(places, labels=names, pictures=pictures, most=5, title="people")
    axis = figure.axes[0]
    assert len(axis.images) == 5 and axis.get_title() == "people"
    shown = {text.get_text() for text in axis.get_legend().get_texts()}
    assert shown == {"pale", "dark"}
    image = figure_image(figure)
    assert ((image[..., 0] > 0.9) & (image[..., 1] < 0.1)).sum() > 200
    assert image.min() >= 0.0 and (image < 0.05).all(axis=2).mean() < 0.05  # no black borders
    assert len(embedding_figure(places).axes[0].images) == 0


def test_thumbnails_do_not_overlap(rng: np.random.Generator) -> None:
    places = rng.random((200, 2))
    chosen = places[spread_out(places, 0.15, 30)]
    gaps = np.abs(chosen[:, None] - chosen[None]).max(axis=2) + np.eye(len(chosen))
    assert gaps.min() >= 0.15 and 10 < len(chosen) <= 30
    assert spread_out(places, 0.1, 3)[0] == 0


def test_bad_input_is_refused_in_one_sentence(rng: np.random.Generator) -> None:
    places = rng.standard_normal((12, 2))
    refusals = [
        (lambda: embedding_figure(places[:, :1]), "places: expected an array"),
        (lambda: embedding_figure(places * np.nan), "NaN"),
        (lambda: embedding_figure(places[:0]), "at least one place"),
        (lambda: embedding_figure(places, labels=["a"]), "a label for each of 12"),
        (lambda: embedding_figure(places, labels=list("abcdefghijkl")), "at most 10 labels"),
        (lambda: embedding_figure(places, pictures=np.zeros((3, 4, 4, 3))), "pictures of places"),
        (lambda: embedding_figure(places, thumbnail=0.0), "thumbnail"),
    ]
    for call, match in refusals:
        with pytest.raises(SettingsError, match=match):
            call()


def test_planes_share_one_scale_and_keep_their_labels(rng: np.random.Generator) -> None:
    first, second = rng.standard_normal((30, 2)), 3 + rng.standard_normal((20, 2))
    figure = planes_figure(
        {
            "one": (first, ["real"] * 20 + ["drawn"] * 10),
            "two": (second, ["real"] * 20),
        }
    )
    left, right = figure.axes
    assert (left.get_title(), right.get_title()) == ("one", "two")
    assert left.get_xlim() == right.get_xlim() and left.get_ylim() == right.get_ylim()
    drawn = {item.get_label(): len(item.get_offsets()) for item in left.collections}
    assert drawn == {"real": 20, "drawn": 10}
    together = np.concatenate([first, second])
    assert left.get_xlim()[0] < together[:, 0].min() and right.get_xlim()[1] > together[:, 0].max()
    with pytest.raises(SettingsError, match="at least one panel"):
        planes_figure({})
    with pytest.raises(SettingsError, match="a label for each of 20"):
        planes_figure({"two": (second, ["real"])})
