"""The page, its charts and its images: escaping, self-containment, geometry."""

import base64
import io
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from geomface.report.charts import BOTTOM, HEIGHT, TOP, bar_chart, cumulative_chart
from geomface.report.images import blend, checkerboard, data_uri, heat_css, resize, side_by_side
from geomface.report.page import (
    Figure,
    Section,
    build_page,
    color_bar,
    columns,
    details,
    grid,
    heading,
    paragraph,
    table,
    tiles,
)

NASTY = '<script>alert("x")</script> & "quotes"'
VOID = {"meta", "img", "br", "hr", "link", "input"}


class Balance(HTMLParser):
    """Checks that every element is closed by its own tag."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list) -> None:
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-1:]}"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def parse(text: str) -> Balance:
    parser = Balance()
    parser.feed(text)
    parser.close()
    assert not parser.open
    return parser


def test_page_is_balanced_escaped_and_self_contained() -> None:
    image = data_uri(np.zeros((4, 4, 3), np.float32), form="png")
    parts = [
        paragraph(NASTY),
        heading(NASTY),
        table([NASTY, "b"], [[NASTY, "done"]], total=[NASTY, ""], states=("done",)),
        columns([tiles([(NASTY, NASTY)]), paragraph(NASTY)]),
        grid([Figure(image, NASTY), Figure(bar_chart([NASTY], [1.0], unit=NASTY))], 2),
        color_bar(heat_css(), NASTY, "high"),
        details(NASTY, NASTY),
    ]
    page = build_page(NASTY, NASTY, [Section(NASTY, "one", parts)], footer=NASTY)
    text = "".join(parse(page).text)
    assert text.count('alert("x")') >= 12, "the words are there as words"
    assert page.count("<script") == 0
    assert not re.search(r"""(src|href)=["'](?!data:|#)""", page), "nothing outside of the file"
    assert "url(" not in page and "@import" not in page


def test_table_marks_states_and_text_columns() -> None:
    markup = table(["a", "b"], [["x", "failed"]], states=("failed",))
    assert '<td class="failed">failed</td>' in markup
    assert '<td class="text">x</td>' in markup


@pytest.mark.parametrize("form", ["png", "jpeg", "webp"])
def test_data_uri_holds_the_image(form: str) -> None:
    image = np.zeros((8, 12, 3), np.float32)
    image[:4] = [1.0, 0.5, 0.0]
    head, body = data_uri(image, form=form, quality=95).split(",")
    assert head == f"data:image/{form};base64"
    back = np.asarray(Image.open(io.BytesIO(base64.b64decode(body))).convert("RGB")) / 255
    assert back.shape == image.shape
    np.testing.assert_allclose(back[1, 6], [1.0, 0.5, 0.0], atol=0.06)
    np.testing.assert_allclose(back[6, 6], 0, atol=0.06)


def test_checkerboard_shows_uv() -> None:
    board = checkerboard(96, checks=8)
    assert board.shape == (96, 96, 3) and board.dtype == np.float32
    colored = board[..., 0] < 0.9
    # red grows with u (to the right), blue with v (upwards)
    columns = np.nonzero(colored[2])[0]
    assert board[2, columns[-1], 0] > board[2, columns[0], 0]
    rows = np.nonzero(colored[:, 2])[0]
    assert board[rows[0], 2, 2] > board[rows[-1], 2, 2]


def test_resize_blend_and_side_by_side() -> None:
    image = np.zeros((8, 8, 3), np.float32)
    image[:, :4] = 1.0
    np.testing.assert_allclose(resize(image, 2, 2)[:, :, 0], [[1, 0], [1, 0]], atol=0.01)
    assert blend(image, 1 - image, 0.25)[0, 0, 0] == pytest.approx(0.75)
    assert side_by_side([image, image], gap=3).shape == (8, 19, 3)


def test_bar_heights_are_proportional() -> None:
    chart = bar_chart(["a", "b"], [1.0, 0.5], unit="mm", line=0.7, marks=[2.0, 1.0])
    heights = [float(value) for value in re.findall(r'<rect[^>]* height="([\d.]+)"', chart)]
    assert heights[0] == pytest.approx(2 * heights[1], abs=0.2)
    assert heights[0] == pytest.approx((HEIGHT - TOP - BOTTOM) / 2, abs=0.2)
    parse(chart)


def test_bar_chart_without_finite_values() -> None:
    assert "nan" not in bar_chart(["a"], [float("nan")], unit="mm").split("<title>")[0]
    parse(bar_chart([], [], unit="mm"))


def test_cumulative_chart_rises_to_the_share_below() -> None:
    chart = cumulative_chart({"all": np.array([0.5, 1.5, np.nan, 9.0, 9.0])}, unit="mm", upper=2.0)
    points = re.search(r'points="([^"]+)"', chart)
    assert points is not None
    height = [float(pair.split(",")[1]) for pair in points[1].split()]
    assert all(a >= b for a, b in zip(height, height[1:], strict=False)), "it never falls"
    assert height[-1] == pytest.approx(HEIGHT - BOTTOM - 0.5 * (HEIGHT - TOP - BOTTOM), abs=0.1)
