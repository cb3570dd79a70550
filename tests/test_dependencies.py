"""What pyproject.toml declares is what is imported, and the other way round."""

import ast
import importlib.metadata
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]

NO_WHEEL = {"pytorch3d"}
"""Used where it is importable; it has no wheel for this Python, so nothing can declare it."""
RUN_NOT_IMPORTED = {"ruff", "pyright", "ipykernel", "pytest-xdist"}
"""What the tests start as programs, and what pytest loads by itself."""
NEEDED_BY_TRIMESH = {"rtree"}
LOADED_BY_MKDOCS = {"mkdocs-material", "mkdocstrings"}
OTHER_NAMES = {"cv2": ["opencv-python-headless"], "griffe": ["griffelib"]}
"""Distributions that the tests need not have, by the name of their module."""


def declared(requirements: list[str]) -> set[str]:
    return {re.split(r"[<>=\[ ;]", item)[0].lower() for item in requirements}


def imported_modules(tree: ast.AST) -> Iterator[str]:
    """Names of imports, those given as text to importlib or to a backend's loader included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (item.name for item in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            if ast.unparse(node.func).endswith((".import_module", ".find_spec", "._load")):
                yield str(node.args[0].value)


def imported(folder: str, without: str = "") -> set[str]:
    """Names of the distributions that the modules of a folder import, but for our own."""
    paths = [path for path in (ROOT / folder).rglob("*.py") if without not in path.parts]
    ours = [path for top in ("tests", "tools") for path in (ROOT / top).rglob("*.py")]
    own = {name for path in ours for name in (path.stem, path.parent.name)}
    own |= {"geomface", "tools", *sys.stdlib_module_names}
    homes = OTHER_NAMES | importlib.metadata.packages_distributions()
    found = set()
    for path in paths:
        for module in imported_modules(ast.parse(path.read_text(encoding="utf-8"))):
            top = module.split(".")[0]
            if top not in own:
                found.add(homes.get(top, [top])[0].lower())
    return found


NEEDED = declared(PROJECT["dependencies"])
LIBRARY_EXTRAS = ("analysis", "anny", "cluster", "open3d", "video")


def test_the_library_imports_what_is_declared() -> None:
    optional = set(NO_WHEEL).union(*(declared(EXTRAS[e]) for e in LIBRARY_EXTRAS))
    assert imported("geomface") == NEEDED | optional


def test_extras_are_imported_where_they_are_used() -> None:
    """`import geomface.metrics` must not ask for what only one function needs."""
    optional = {"anny", "distributed", "sklearn", "open3d", "pytorch3d", "imageio_ffmpeg"}
    for path in (ROOT / "geomface").rglob("*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                assert not optional & {name.split(".")[0] for name in imported_modules(node)}, path


def test_the_tests_import_what_is_declared() -> None:
    used = imported("tests", without="benchmarks") | imported("tools")
    docs = declared(EXTRAS["docs"])
    assert docs - LOADED_BY_MKDOCS <= used
    extra = used - NEEDED - NO_WHEEL - declared(EXTRAS["anny"]) - docs
    shared = set[str]().union(*(declared(EXTRAS[e]) for e in ("analysis", "cluster", "video")))
    assert extra | RUN_NOT_IMPORTED | shared == declared(EXTRAS["test"]) - {"geomface"}


def test_the_benchmarks_import_what_is_declared() -> None:
    extra = imported("tests/benchmarks") - NEEDED
    assert extra | NEEDED_BY_TRIMESH == declared(EXTRAS["bench"] + EXTRAS["interop"])


def test_every_extra_has_its_users() -> None:
    extras = {"analysis", "anny", "bench", "cluster", "docs", "interop", "open3d", "test", "video"}
    assert set(EXTRAS) == extras


def test_constraints_pin_every_dependency() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = {line.split("==")[0].lower() for line in lines if "==" in line}
    tested = declared(EXTRAS["test"]) - {"geomface"} | declared(EXTRAS["docs"])
    assert NEEDED | tested <= pinned
    assert "torch==2.13.0" in lines
