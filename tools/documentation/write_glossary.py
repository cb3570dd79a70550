"""Write docs/glossary.md anew from what reports say about their figures."""

from pathlib import Path

from geomface.report.glossary import glossary_page

PAGE = Path(__file__).resolve().parents[2] / "docs" / "glossary.md"

if __name__ == "__main__":
    PAGE.write_text(glossary_page(), encoding="utf-8")
