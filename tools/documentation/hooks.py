"""Pages of the documentation that are made of what lies elsewhere in the repository.

The reference of the public names, the notebooks, the cards of what ships, and the changes. Written
once where they belong, they are pages of the site without a copy in docs/.
"""

import json
import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig  # pyright: ignore[reportMissingImports]
from mkdocs.structure.files import File, Files  # pyright: ignore[reportMissingImports]
from mkdocs.structure.pages import Page  # pyright: ignore[reportMissingImports]

from geomface.lazy import read_exports

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "geomface"
OUTSIDE = (
    (r"notebooks/(\w+)\.ipynb", r"notebooks/\1.md"),
    (r"assets/(?:templates/)?(\w+)/card\.md", r"cards/\1.md"),
    (r"(CHANGELOG|CONTRIBUTING)\.md", r"\1.md"),
)
"""Places in the repository that are pages of the site."""
LINK = re.compile(r"\]\(([^)\s#:]+)(#[^)\s]*)?\)")


def public_packages() -> dict[str, dict[str, str]]:
    """Return {package: {public name: what to show}}, of every package that loads its names lazily.

    A function may be called as the module that it lies in; then it is named with its module.
    """
    found = {}
    for path in sorted(PACKAGE.rglob("__init__.py")):
        package = ".".join(path.parent.relative_to(ROOT).parts)
        homes = read_exports(str(path))
        shown = {}
        for name in sorted(homes, key=str.lower):
            module = ROOT.joinpath(*homes[name].split("."), f"{name}.py")
            place = f"{homes[name]}.{name}" if module.is_file() else package
            shown[name] = f"{place}.{name}"
        if shown:
            found[package] = shown
    return found


def reference_pages() -> dict[str, str]:
    """Return {page: its Markdown}: one a package, each name with its docstring."""
    pages = {}
    for package, names in public_packages().items():
        title = "geomface itself" if package == "geomface" else package
        lead = (
            "Every name that a notebook needs. Each has an example, which the tests run."
            if package == "geomface"
            else f"`from {package} import ...`"
        )
        body = "\n\n".join(f"::: {shown}" for shown in names.values())
        pages[f"reference/{package}.md"] = f"# {title}\n\n{lead}\n\n{body}\n"
    return pages


def label_of(page: str) -> str:
    """Return what the navigation calls a page of the reference."""
    return Path(page).stem.removeprefix("geomface.")


def notebook_page(path: Path) -> str:
    """Return the Markdown of a notebook: its text and its code."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    parts = []
    for cell in cells:
        text = "".join(cell["source"]).strip()
        parts.append(f"```python\n{text}\n```" if cell["cell_type"] == "code" else text)
    return "\n\n".join([*parts, f"The notebook: `notebooks/{path.name}`."])


def pages_elsewhere() -> dict[str, str]:
    """Return {page: its Markdown} of notebooks, cards and changes."""
    pages = {
        f"notebooks/{path.stem}.md": notebook_page(path)
        for path in sorted((ROOT / "notebooks").glob("*.ipynb"))
    }
    for card in sorted((ROOT / "assets").rglob("card.md")):
        pages[f"cards/{card.parent.name}.md"] = card.read_text(encoding="utf-8")
    for name in ("CHANGELOG.md", "CONTRIBUTING.md"):
        pages[name] = (ROOT / name).read_text(encoding="utf-8")
    return pages


def home_of(page: str) -> str:
    """Return where in the repository the text of a page lies, which its links start from."""
    if page.startswith("cards/"):
        return f"assets/{Path(page).stem}"
    if page.startswith("notebooks/"):
        return "notebooks"
    top = page in ("CHANGELOG.md", "CONTRIBUTING.md")
    return "" if top else posixpath.dirname(f"docs/{page}")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Add the made pages to the navigation."""
    made = pages_elsewhere()
    config.nav = [
        *(config.nav or []),
        {"Notebooks": [page for page in made if page.startswith("notebooks/")]},
        {"Reference": [{label_of(page): page} for page in reference_pages()]},
        {"Cards of what ships": [page for page in made if page.startswith("cards/")]},
        {"Changes": "CHANGELOG.md"},
        {"Contributing": "CONTRIBUTING.md"},
    ]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the made pages to the site."""
    for name, text in {**reference_pages(), **pages_elsewhere()}.items():
        files.append(File.generated(config, name, content=text))
    return files


def on_page_markdown(markdown: str, *, page: Page, **_: object) -> str:
    """Turn links that leave docs/ into links to the pages made of what they lead to."""
    here = page.file.src_uri
    home = home_of(here)

    def linked(match: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(home, match[1]))
        for pattern, place in OUTSIDE:
            if re.fullmatch(pattern, target):
                target = "docs/" + re.sub(pattern, place, target)
        if not target.startswith("docs/"):
            return match[0]
        to = posixpath.relpath(target.removeprefix("docs/"), posixpath.dirname(here) or ".")
        return f"]({to}{match[2] or ''})"

    return LINK.sub(linked, markdown)
