"""Pages in a real browser: the face turns, zooms, moves and resets; nothing overflows when narrow.

Chromium loads the page with a script at its end, which sends events as a person would cause them
and writes down what happened.
"""

import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from report_folder import make_folder

from geomface.faces.builtin import load_builtin_face
from geomface.files import save_image, write_json
from geomface.learning.run_directory import METRICS, RUN_FILE, SAMPLES
from geomface.parametrization import unwrap
from geomface.report import write_report
from geomface.report.page import Section, build_page, table
from geomface.report.training import write_training_report
from geomface.report.viewer import ViewerShape, viewer_html, viewer_script

BROWSER = next(
    (
        path
        for name in ("chromium", "chromium-browser", "google-chrome")
        if (path := shutil.which(name))
    ),
    None,
)
pytestmark = pytest.mark.skipif(
    BROWSER is None, reason="needs chromium (apt-get install chromium), which is not here"
)
NARROW = 320


def in_browser(folder: Path, page: str, script: str) -> dict:
    """Load a page, run a script (body of an async function that returns a record), return that."""
    place = folder / "page.html"
    runner = (
        "<script>(async function () { await new Promise(r => setTimeout(r, 500));"
        f"let found; try {{ found = await (async function () {{ {script} }})(); }}"
        "catch (e) { found = { failed: String(e.stack) }; }"
        "var box = document.createElement('pre'); box.id = 'found';"
        "box.textContent = JSON.stringify(found); document.body.append(box); })();</script>"
    )
    place.write_text(page.replace("</body>", runner + "</body>"))
    command = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--window-size=1200,900"]
    command += ["--virtual-time-budget=8000", f"--user-data-dir={folder / 'profile'}"]
    done = subprocess.run(
        [*command, "--dump-dom", place.as_uri()], capture_output=True, text=True, timeout=240
    )
    text = re.search(r'<pre id="found">(.*?)</pre>', done.stdout, re.DOTALL)
    assert text is not None, done.stderr[-2000:]
    found = json.loads(text[1].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
    assert "failed" not in found, found
    return found


@pytest.fixture(scope="module")
def viewer_page() -> str:
    mesh = unwrap(load_builtin_face().template).mesh
    image = np.full((16, 16, 3), (0.8, 0.6, 0.5), np.float32)
    wide = mesh.vertices * [1.2, 1.0, 1.0]
    shapes = [
        ViewerShape("one", mesh.vertices, image, image),
        ViewerShape("two", wide, image, image),
    ]
    section = Section("Faces", "faces", [viewer_html(mesh, shapes)])
    return build_page("Viewer", "two faces", [section], scripts=viewer_script())


HELPERS = """
var canvas = document.querySelector(".viewer canvas");
function view() { return canvas.dataset.view.split(" ").map(Number); }
function pause(ms) { return new Promise(r => setTimeout(r, ms)); }
function key(name, more) {
  canvas.dispatchEvent(new KeyboardEvent("keydown", Object.assign(
    { key: name, bubbles: true, cancelable: true }, more)));
}
function pointer(kind, x, y, more) {
  var box = canvas.getBoundingClientRect();
  canvas.dispatchEvent(new PointerEvent(kind, Object.assign({ pointerId: 1, bubbles: true,
    clientX: box.left + x * box.width, clientY: box.top + y * box.height, buttons: 1 }, more)));
}
function click(words) { document.querySelector(words).click(); }
"""


def test_mouse_wheel_buttons_and_keys(tmp_path: Path, viewer_page: str) -> None:
    script = (
        HELPERS
        + """
    var found = { start: view() };
    pointer("pointerdown", 0.5, 0.5); pointer("pointermove", 0.7, 0.5);
    pointer("pointerup", 0.7, 0.5);
    found.dragged = view();
    found.still = document.querySelector("[data-spin]").getAttribute("aria-pressed");
    click("[data-reset]"); found.reset = view();
    key("ArrowRight"); key("ArrowDown"); found.arrows = view();
    key("0"); key("+"); found.plus = view();
    key("-"); key("-"); found.minus = view();
    key("Home"); key("ArrowRight", { shiftKey: true }); found.moved = view();
    key("0");
    pointer("pointerdown", 0.5, 0.5); pointer("pointermove", 0.6, 0.4, { shiftKey: true });
    pointer("pointerup", 0.6, 0.4); found.panned = view();
    click("[data-reset]"); click("[data-zoom='1.25']"); found.button = view();
    var wheel = new WheelEvent("wheel", { deltaY: -50, bubbles: true, cancelable: true });
    canvas.blur(); canvas.dispatchEvent(wheel); found.page_scrolls = !wheel.defaultPrevented;
    canvas.focus(); key("0");
    wheel = new WheelEvent("wheel", { deltaY: -50, bubbles: true, cancelable: true,
      clientX: canvas.getBoundingClientRect().left, clientY: canvas.getBoundingClientRect().top });
    canvas.dispatchEvent(wheel); found.wheel = view(); found.wheel_taken = wheel.defaultPrevented;
    canvas.dispatchEvent(new MouseEvent("dblclick", { bubbles: true })); found.double = view();
    click("[data-shape='1']"); await pause(400);
    found.name = document.querySelector(".viewer-name").textContent;
    key("+"); await pause(600); found.said = document.querySelector("[data-said]").textContent;
    found.labels = Array.from(document.querySelectorAll("button")).map(
      b => b.getAttribute("aria-label") || b.title || b.textContent).filter(Boolean).length
      === document.querySelectorAll("button").length;
    found.canvas = canvas.getAttribute("aria-label");
    return found;"""
    )
    found = in_browser(tmp_path, viewer_page, script)
    yaw, pitch, zoom, x, y = range(5)
    assert found["dragged"][yaw] > found["start"][yaw] + 10 and found["still"] == "false"
    assert found["reset"][zoom:] == [1, 0, 0] and found["reset"][yaw] == 0
    assert found["arrows"][yaw] == 6 and found["arrows"][pitch] > found["reset"][pitch]
    assert found["plus"][zoom] == 1.25 and found["minus"][zoom] == pytest.approx(0.8)
    assert found["moved"][x] > 0.05 and found["moved"][yaw] == 0
    assert found["panned"][x] == pytest.approx(0.2, abs=0.02)
    assert found["panned"][y] == pytest.approx(0.2, abs=0.02)
    assert found["button"][zoom] == 1.25
    # The wheel scrolls the page until the face has the focus; then what is under it stays there.
    assert found["page_scrolls"] and found["wheel_taken"]
    assert found["wheel"][zoom] > 1.1 and found["wheel"][x] > 0 and found["wheel"][y] < 0
    assert found["double"] == found["reset"]
    assert found["name"] == "two" and "times as large" in found["said"]
    assert found["labels"] and "arrow keys" in found["canvas"]


def test_two_fingers_zoom_and_one_lets_the_page_scroll(tmp_path: Path, viewer_page: str) -> None:
    script = (
        HELPERS
        + """
    var found = { before: getComputedStyle(canvas).touchAction };
    var touch = { pointerType: "touch" }, other = { pointerType: "touch", pointerId: 2 };
    pointer("pointerdown", 0.4, 0.5, touch); pointer("pointerdown", 0.6, 0.5, other);
    pointer("pointermove", 0.3, 0.5, touch); pointer("pointermove", 0.7, 0.5, other);
    found.pinched = view();
    pointer("pointerup", 0.3, 0.5, touch); pointer("pointerup", 0.7, 0.5, other);
    found.during = getComputedStyle(canvas).touchAction;
    return found;"""
    )
    found = in_browser(tmp_path, viewer_page, script)
    assert found["before"] == "pan-y" and found["during"] == "none"
    assert found["pinched"][2] == pytest.approx(2.0, abs=0.1)


WIDTHS = """
var text = document.documentElement.outerHTML.replace(/<script>\\(async[^]*?<\\/script>/, "");
var frame = document.createElement("iframe");
frame.style.cssText = "width: %dpx; height: 800px; border: 0";
frame.srcdoc = text; document.body.append(frame);
await new Promise(r => { frame.onload = r; });
await new Promise(r => setTimeout(r, 300));
var page = frame.contentDocument, wide = [];
page.querySelectorAll("body *").forEach(function (part) {
  if (part.closest(".scroll, pre, .unseen, svg") && !part.matches(".scroll, pre")) { return; }
  if (part.getBoundingClientRect().right > frame.clientWidth + 1) {
    wide.push(part.tagName + "." + part.className);
  }
});
function all(words) { return Array.from(page.querySelectorAll(words)); }
return {
  width: page.documentElement.scrollWidth, wide: wide.slice(0, 8),
  unnamed: all("img").filter(i => !i.alt).length,
  sizes: all("figure img").every(i => i.hasAttribute("width") && i.hasAttribute("height")),
  heads: all("th").every(h => h.scope && h.textContent.trim()),
  tips: all("a.figure[title]").length,
};
"""


def require_narrow(folder: Path, page: str) -> dict:
    found = in_browser(folder, page, WIDTHS % NARROW)
    assert found["width"] <= NARROW and not found["wide"], found
    assert not found["unnamed"] and found["sizes"] and found["heads"], found
    return found


def test_the_report_of_scans_fits_a_narrow_screen(tmp_path: Path) -> None:
    report = write_report(make_folder(tmp_path, count=2))
    found = require_narrow(tmp_path, report.path.read_text())
    assert found["tips"] >= 10


def test_the_page_of_a_training_fits_a_narrow_screen(tmp_path: Path) -> None:
    root = tmp_path / "run"
    (root / SAMPLES).mkdir(parents=True)
    write_json(root / RUN_FILE, {"system": "progressive_texture", "long": "word" * 90})
    lines = [
        {"step": step, "loss/discriminator": 1.0 / step, "loss/generator": 0.5, "penalty/r1": 0.1}
        for step in range(1, 5)
    ]
    (root / METRICS).write_text("".join(json.dumps(line) + "\n" for line in lines))
    save_image(root / SAMPLES / "step-000004.png", np.zeros((8, 24, 3), np.float32))
    write_training_report(root, tmp_path / "training.html")
    found = require_narrow(tmp_path, (tmp_path / "training.html").read_text())
    assert found["tips"] >= 1


def test_long_words_and_wide_tables_fit_a_narrow_screen(tmp_path: Path, viewer_page: str) -> None:
    wide = table([f"column {index}" for index in range(20)], [["x" * 60] * 20])
    section = Section("T" * 50, "t", [wide, f"<p>{'word' * 60}</p>"])
    require_narrow(tmp_path, build_page("N" * 80, "lead", [section]))
    require_narrow(tmp_path, viewer_page)
