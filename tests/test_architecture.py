"""The rules of the house, checked on the source: room order, sizes, what a module may not do."""

import ast
import importlib
import logging
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import geomface
from geomface.lazy import read_exports

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "geomface"
MODULES = sorted(PACKAGE.rglob("*.py"))
LIBRARY = [path for path in MODULES if "cli" not in path.relative_to(PACKAGE).parts]


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def label(path: Path) -> str:
    return str(path.relative_to(ROOT))


def public_definitions(
    path: Path,
) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]]:
    """Public functions and classes of a module, and the public methods of public classes."""
    for node in tree_of(path).body:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        if node.name.startswith("_"):
            continue
        yield f"{label(path)}:{node.lineno} {node.name}", node
        if isinstance(node, ast.ClassDef):
            for method in node.body:
                if isinstance(method, ast.FunctionDef) and not method.name.startswith("_"):
                    yield f"{label(path)}:{method.lineno} {node.name}.{method.name}", method


def test_rooms_import_only_rooms_above_them() -> None:
    from importlinter.cli import lint_imports

    logger = logging.getLogger("geomface")
    code = lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True)
    logger.disabled = False  # it configures logging for itself and switches all others off
    assert code == 0, "import-linter found a forbidden import: run `lint-imports`"


def test_contract_names_every_room() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    layers = set(settings["contracts"][0]["layers"])
    rooms = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert rooms <= layers


def test_module_length() -> None:
    lengths = {label(path): len(path.read_text().splitlines()) for path in MODULES}
    too_long = {name: count for name, count in lengths.items() if count > 400}
    assert not too_long, "modules over 400 lines want splitting"
    over = sorted(name for name, count in lengths.items() if count > 250)
    assert len(over) <= 0.25 * len(lengths), f"too many modules over 250 lines: {over}"


@pytest.mark.parametrize("path", LIBRARY, ids=label)
def test_library_does_not_print_assert_or_pickle(path: Path) -> None:
    found = []
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Assert):
            found.append(f"line {node.lineno}: assert")
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called in ("print", "exit", "quit", "sys.exit", "torch.load", "eval", "exec"):
                found.append(f"line {node.lineno}: {called}()")
            if called in ("np.load", "numpy.load"):
                allowed = {word.arg: ast.unparse(word.value) for word in node.keywords}
                if allowed.get("allow_pickle", "False") != "False":
                    found.append(f"line {node.lineno}: np.load with allow_pickle")
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [item.name for item in node.names] + [getattr(node, "module", "") or ""]
            if {"pickle", "dill", "joblib"} & {name.split(".")[0] for name in names}:
                found.append(f"line {node.lineno}: pickle")
            if getattr(node, "module", "") == "__future__":
                found.append(f"line {node.lineno}: from __future__ import")
        if isinstance(node, ast.ExceptHandler):
            kind = "" if node.type is None else ast.unparse(node.type)
            reraises = any(isinstance(inner, ast.Raise) for inner in ast.walk(node))
            if kind in ("", "BaseException") and not reraises:
                found.append(f"line {node.lineno}: except {kind or 'everything'} without raise")
    # An entry point for `python -m` may end the process.
    if path.name == "__main__.py":
        found = [item for item in found if "exit" not in item]
    assert not found, label(path)


@pytest.mark.parametrize("path", MODULES, ids=label)
def test_public_names_are_documented_and_annotated(path: Path) -> None:
    missing = []
    if not ast.get_docstring(tree_of(path)):
        missing.append(f"{label(path)}: module docstring")
    for name, node in public_definitions(path):
        if not ast.get_docstring(node):
            missing.append(f"{name}: docstring")
        if isinstance(node, ast.ClassDef):
            continue
        if node.returns is None:
            missing.append(f"{name}: return annotation")
        arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        bare = [
            item.arg
            for item in arguments
            if item.annotation is None and item.arg not in ("self", "cls")
        ]
        if bare:
            missing.append(f"{name}: annotation of {', '.join(bare)}")
    assert not missing, "\n".join(missing)


LAZY = [path for path in PACKAGE.rglob("__init__.py") if "attach(__name__" in path.read_text()]


@pytest.mark.parametrize("path", LAZY, ids=label)
def test_lazy_exports_resolve_and_climb_nowhere(path: Path) -> None:
    """import-linter does not see them: they are imports for the type checker."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    order = settings["contracts"][0]["layers"]
    name = ".".join(path.parent.relative_to(ROOT).parts)
    package = importlib.import_module(name)
    homes = read_exports(str(path))
    assert set(package.__all__) == set(homes)
    for export, home in homes.items():
        assert getattr(package, export) is getattr(importlib.import_module(home), export)
        assert export in dir(package)
        module = path.parent / export
        assert not (module.is_dir() or module.with_suffix(".py").exists()), (
            f"importing {name}.{export}, the module, would hide {name}.{export}, the export"
        )
        if "." in name:
            assert order.index(home.split(".")[1]) >= order.index(name.split(".")[1]), home
    with pytest.raises(AttributeError, match="no_such_verb"):
        package.no_such_verb  # noqa: B018


def test_lazy_imports_are_exports_for_the_type_checker() -> None:
    for path in LAZY:
        (block,) = (item for item in tree_of(path).body if isinstance(item, ast.If) and item.orelse)
        for node in block.body:
            assert isinstance(node, ast.ImportFrom)
            assert all(item.asname == item.name for item in node.names), label(path)


def test_version_is_that_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert geomface.__version__ == project["version"]


def test_every_module_imports_alone_by_name() -> None:
    """A module that only works after another one was imported is a trap."""
    names = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in MODULES
        if path.name != "__main__.py"
    ]
    for name in names:
        importlib.import_module(name)


def test_ruff_is_clean() -> None:
    for command in (["check"], ["format", "--check"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--no-cache", "geomface", "tests", "tools"],
            cwd=ROOT,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_pyright_is_clean() -> None:
    command = [sys.executable, "-m", "pyright"]
    try:
        probe = subprocess.run(
            [*command, "--version"], cwd=ROOT, capture_output=True, text=True, timeout=120
        )
    except subprocess.TimeoutExpired:
        pytest.skip("pyright could not fetch its engine in time (it does so at its first use)")
    if probe.returncode != 0:
        pytest.skip("pyright could not fetch its engine (it does so at its first use)")
    done = subprocess.run(
        [*command, "--pythonpath", sys.executable], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout[-4000:]
