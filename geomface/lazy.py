"""What a package offers is written once, as imports for the type checker, and done at first use."""

import ast
import importlib
import sys
from collections.abc import Callable
from typing import Any


def attach(
    package: str, file: str
) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """Read the imports under `if TYPE_CHECKING:` and carry each one out when its name is used.

    `import geomface` and `geomface COMMAND --help` must not wait for numerics, and whoever types
    must still see the types. A package therefore ends with

        if TYPE_CHECKING:
            from geomface.mesh.mesh import Mesh as Mesh
        else:
            __getattr__, __dir__, __all__ = attach(__name__, __file__)

    The repeated name says that the import is an export (PEP 484); the `else` keeps names that
    are not there from passing the type checker.

    Parameters
    ----------
    package : the package's `__name__`
    file : the package's `__file__`

    Returns
    -------
    `__getattr__` and `__dir__` of the package (PEP 562), and its `__all__`
    """
    homes = read_exports(file)

    def load(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(importlib.import_module(homes[name]), name)
        setattr(sys.modules[package], name, value)  # so that it is asked for only once
        return value

    def names() -> list[str]:
        return sorted({*vars(sys.modules[package]), *homes})

    return load, names, sorted(homes)


def read_exports(file: str) -> dict[str, str]:
    """{name: module it comes from}, of the imports under `if TYPE_CHECKING:` in a source file."""
    with open(file, encoding="utf-8") as stream:
        tree = ast.parse(stream.read(), file)
    return {
        item.name: node.module
        for block in tree.body
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING"
        for node in block.body
        if isinstance(node, ast.ImportFrom) and node.module
        for item in node.names
    }
