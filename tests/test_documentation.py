"""The documentation builds without a warning, its links lead somewhere, questions find a page."""

import importlib.util
import json
import os
import posixpath
import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest

import geomface as gf

ROOT = Path(__file__).resolve().parents[1]
HOW = sorted((ROOT / "docs/how").glob("*.md"))
BUILDERS = ("griffe", "lunr", "material", "mkdocs", "mkdocstrings_handlers")
QUESTIONS = {
    "scans without landmarks": "scans-without-landmarks",
    "my own template, from a picked mesh to a registered set": "my-own-template",
    "scans in metres": "scans-in-metres",
    "5,000 scans and 32 cores, or a cluster": "many-scans-cores-cluster",
    "BFM or FLAME topology": "bfm-or-flame-topology",
    "a texture in Blender, Unreal, three.js": "texture-in-blender-unreal-threejs",
    "only the UV": "only-the-uv",
    "what the numbers mean": "what-the-numbers-mean",
    "how accurate": "how-accurate",
    "citing": "citing",
}
BOOST = {"title": 1000, "text": 1}
"""How much more the title of a section counts in the search of the site."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    missing = [name for name in BUILDERS if importlib.util.find_spec(name) is None]
    if missing:
        pytest.skip(f"the extra 'docs' is not installed ({', '.join(missing)} missing)")
    out = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(out)]
    paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1", "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0 and "WARNING" not in done.stderr, done.stderr[-3000:]
    return out


class Page(HTMLParser):
    """What a page refers to, and what can be referred to in it."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        if "href" in given:
            (self.links if tag == "a" else self.loaded).append(given["href"])
        if "src" in given:
            self.loaded.append(given["src"])


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[str, Page]:
    return {path.relative_to(site).as_posix(): Page(path) for path in site.rglob("*.html")}


def test_links_and_anchors_are_there(site: Path, pages: dict[str, Page]) -> None:
    lost = []
    for name, page in pages.items():
        if name == "404.html":  # its links are those of the root of a server
            continue
        for link in page.links + page.loaded:
            target, _, anchor = unquote(link).partition("#")
            if re.match(r"\w+:|//", target):
                continue
            place = posixpath.normpath(posixpath.join(posixpath.dirname(name), target))
            place = name if not target else place
            if not (site / place).exists():
                lost.append(f"{name}: {link}")
            elif anchor and place in pages and anchor not in pages[place].anchors:
                lost.append(f"{name}: {link}")
    assert not lost, "\n".join(lost[:20])


def test_nothing_is_loaded_from_elsewhere(pages: dict[str, Page]) -> None:
    for name, page in pages.items():
        assert not [item for item in page.loaded if item.startswith(("http", "//"))], name


def test_every_public_name_is_documented(pages: dict[str, Page]) -> None:
    sys.path.insert(0, str(ROOT / "tools" / "documentation"))
    try:
        from hooks import public_packages
    finally:
        sys.path.pop(0)
    packages = public_packages()
    assert set(packages["geomface"]) == set(gf.__all__)
    assert sum(map(len, packages.values())) > 500
    for package, names in packages.items():
        anchors = pages[f"reference/{package}.html"].anchors
        assert not [name for name, place in names.items() if place not in anchors], package


def test_examples_are_shown(site: Path) -> None:
    text = (site / "reference/geomface.html").read_text(encoding="utf-8")
    assert text.count("<strong>Example</strong>") >= len(gf.__all__)


def search(site: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield (question, pages found, best first), each page as good as its best section."""
    from lunr import lunr

    documents = json.loads((site / "search/search_index.json").read_text(encoding="utf-8"))["docs"]
    fields = [{"field_name": name, "boost": boost} for name, boost in BOOST.items()]
    index = lunr(ref="location", fields=fields, documents=documents)
    for question in QUESTIONS:
        words = " ".join(re.findall(r"[\w.]+", question.replace(",", "")))
        places = [found["ref"].partition("#")[0] for found in index.search(words)]
        yield question, list(dict.fromkeys(places))


def test_each_question_finds_its_page_first(site: Path) -> None:
    for question, found in search(site):
        assert found[0] == f"how/{QUESTIONS[question]}.html", f"{question}: {found[:4]}"


def test_questions_have_a_page_each() -> None:
    assert {path.stem for path in HOW} == {"index", *QUESTIONS.values()}
    index = (ROOT / "docs/how/index.md").read_text(encoding="utf-8")
    assert all(f"({page}.md)" in index for page in QUESTIONS.values())


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files that the pages of questions speak of."""
    folder = tmp_path_factory.mktemp("how")
    face = gf.load_builtin_face()
    scan = gf.simulate_scan(
        face, rng=np.random.default_rng(1), settings=gf.ScanSettings(vertices=6000)
    )
    gf.save_mesh(folder / "anna.ply", scan.mesh)
    metres = scan.mesh.replace(vertices=scan.mesh.vertices / 1000, unit="m")
    gf.save_mesh(folder / "metres.ply", metres)
    bare = face.mesh.replace(uv=None, uv_faces=None, texture=None)
    gf.save_mesh(folder / "my.obj", bare)
    places = face.template.landmarks.positions(face.mesh.vertices)
    gf.save_landmarks(folder / "my.picked.json", gf.Landmarks(places))
    item = folder / "my-result/items/anna"
    item.mkdir(parents=True)
    texture = np.full((8, 8, 3), 0.5, np.float32)
    gf.save_mesh(item / "registered.obj", gf.unwrap(face.template).mesh.replace(texture=texture))
    modes = np.random.default_rng(2).normal(size=(len(bare.vertices), 3, 4)) / 1e4
    np.savez(
        folder / "flame2023.npz",
        v_template=bare.vertices / 1000,
        shapedirs=modes,
        f=bare.faces,
    )
    return folder


@pytest.mark.parametrize("page", HOW, ids=lambda path: path.stem)
def test_python_of_the_questions_runs(
    page: Path, prepared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(prepared)
    for code in re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
        exec(compile(code, page.name, "exec"), {})


def test_commands_of_the_pages_exist() -> None:
    from geomface.cli.main import NOUNS

    for page in [*HOW, ROOT / "docs/guide.md", ROOT / "docs/index.md"]:
        for code in re.findall(r"```bash\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
            for line in code.splitlines():
                if line.startswith("geomface "):
                    assert line.split()[1] in NOUNS, f"{page.name}: {line}"


def test_citation_says_what_this_is() -> None:
    text = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    lines = dict(line.split(": ", 1) for line in text.splitlines() if re.match(r"[a-z-]+: ", line))
    assert lines["cff-version"] == "1.2.0" and lines["version"] == gf.__version__
    assert lines["license"] == "MIT" and lines["type"] == "software" and lines["message"]
    assert f"version = {{{gf.__version__}}}" in (ROOT / "docs/how/citing.md").read_text()
