"""Label tables: round trip in both formats, and a sentence for each table that is none."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geomface.datasets import LabelledFaces, load_label_table, save_label_table
from geomface.errors import FileFormatError, OutputError
from geomface.mesh import Mesh, Template

FACTORS = ("identity", "expression")
TRIANGLE = Template(Mesh(np.eye(3), np.array([[0, 1, 2]])))
WORD = st.text(st.characters(codec="utf-8", exclude_characters="\0\\"), min_size=1, max_size=8).map(
    str.strip
)


def labelled(rows: dict[str, tuple[str, str]]) -> LabelledFaces:
    """A set with these labels."""
    classes = [sorted({row[k] for row in rows.values()} - {""}) for k in (0, 1)]
    return LabelledFaces(
        TRIANGLE,
        np.zeros((len(rows), 3, 3)),
        tuple(rows),
        {
            factor: np.array([classes[k].index(row[k]) if row[k] else -1 for row in rows.values()])
            for k, factor in enumerate(FACTORS)
        },
        {factor: tuple(names) for factor, names in zip(FACTORS, classes, strict=True)},
    )


@settings(max_examples=60, deadline=None)
@given(
    rows=st.dictionaries(WORD.filter(bool), st.tuples(WORD, WORD), min_size=1, max_size=6),
    suffix=st.sampled_from(["csv", "jsonl"]),
)
def test_what_is_saved_is_loaded(tmp_path_factory, rows, suffix) -> None:
    """Any names, with commas, quotes and line breaks in them."""
    path = tmp_path_factory.mktemp("table") / f"labels.{suffix}"
    save_label_table(path, labelled(rows))
    table = load_label_table(path, FACTORS)
    assert list(table) == list(rows)
    assert [tuple(row.values()) for row in table.values()] == list(rows.values())


def written(tmp_path: Path, text: str, name: str = "labels.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(text.encode())
    return path


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", "file,identity,expression\nx/a.ply,7,\nb.ply, anna ,happy\n"),
        ("a.csv", "\ufefffile;expression;identity\r\nx\\a.ply;;7\r\n\r\nb.ply;happy;anna\r\n"),
        ("a.CSV", 'expression\tfile\tidentity\n\t"x/a.ply"\t7\nhappy\tb.ply\tanna'),
        (
            "a.jsonl",
            '{"file": "x/a.ply", "identity": 7, "expression": null}\n\n'
            '{"identity": "anna", "expression": "happy", "file": "b.ply"}',
        ),
        (
            "a.ndjson",
            '{"file": "x/a.ply", "identity": "7"}\n'
            '{"identity": "anna", "expression": "happy", "file": "b.ply"}\n',
        ),
    ],
)
def test_spellings_of_one_table(tmp_path, name, text) -> None:
    assert load_label_table(written(tmp_path, text, name), FACTORS) == {
        "x/a.ply": {"identity": "7", "expression": ""},
        "b.ply": {"identity": "anna", "expression": "happy"},
    }


HEAD = "file,identity,expression\n"


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("a.csv", "", "the file is empty"),
        ("a.csv", " \n", "the file is blank"),
        ("a.csv", HEAD, "expected a row a face, got a header only"),
        ("a.csv", HEAD + "\n  \n", "header only"),
        ("a.csv", "a.ply,anna,happy\n", "whose first line names its columns"),
        ("a.csv", "file,identity,identity\na,b,c\n", "each once"),
        ("a.csv", '{"file": "a.ply", "identity": "anna"}\n', "whose first line names"),
        (
            "a.csv",
            "file,identity,expression,age\na.ply,anna,happy,3\n",
            "expected the columns file, identity, expression, got also age. Remove them, or ask",
        ),
        ("a.csv", "file,identity\na.ply,anna\n", "expression missing. Add them, with empty cells"),
        ("a.csv", HEAD + "a.ply,anna\n", "line 2: expected 3 cells as in the first line, got 2"),
        ("a.csv", HEAD + ",anna,happy\n", "line 2: expected a file, got none"),
        (
            "a.csv",
            HEAD + "a.ply,x,\nb.ply,x,\na.ply,y,\n",
            "line 4 names a.ply again, as line 2 does. Keep one",
        ),
        ("a.csv", HEAD + 'a.ply,"anna,happy\n', "line 2: expected a CSV table"),
        ("a.jsonl", HEAD, "line 1: expected a JSON object with 'file', could not read"),
        ("a.jsonl", '["a.ply", "anna"]\n', "line 1: expected a JSON object with 'file', got"),
        ("a.jsonl", '{"identity": "anna"}\n', "line 1: expected a file, got none"),
        (
            "a.jsonl",
            '{"file": "a", "identity": "b", "expression": 1.5}',
            "whole numbers .* got 1.5",
        ),
        ("a.jsonl", '{"file": "a", "identity": true}', "names or whole numbers .* got True"),
        ("a.jsonl", '{"file": "a", "identity": ["b"]}', "names or whole numbers"),
        ("a.jsonl", '{"file": "a", "identity": "b"}', "expression missing"),
        (
            "a.jsonl",
            '{"file": "a", "identity": "b", "identity": "c"}',
            "line 1: .*'identity' is .*twice",
        ),
        (
            "a.csv",
            "file,identity,expression,\na,b,c,\n",
            "column 4 of the first line is empty. Name",
        ),
        ("a.csv", "file,identity,,expression,\na,b,,c,\n", "column 3 of the first line is empty"),
        ("a.jsonl", '{"file": "a", "identity": "b", "who": "c"}', "got also who"),
        ("a.xlsx", "PK", "expected a label table named .csv or .jsonl or .ndjson, got .xlsx"),
        ("labels", HEAD, "got a name without one"),
    ],
)
def test_tables_that_are_none(tmp_path, name, text, sentence) -> None:
    with pytest.raises(FileFormatError, match=sentence) as refused:
        load_label_table(written(tmp_path, text, name), FACTORS)
    assert str(tmp_path / name) in str(refused.value) and "\n" not in str(refused.value)


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16", "utf-16-le"])
def test_other_encodings(tmp_path, encoding) -> None:
    (tmp_path / "a.csv").write_bytes(f"{HEAD}a.ply,Ren\u00e9,\n".encode(encoding))
    with pytest.raises(FileFormatError, match="[Ss]ave it as UTF-8"):
        load_label_table(tmp_path / "a.csv", FACTORS)


def test_binary_and_missing_files(tmp_path) -> None:
    (tmp_path / "a.csv").write_bytes(b"\xff\xfe\x00file")
    with pytest.raises(FileFormatError, match="got binary data"):
        load_label_table(tmp_path / "a.csv", FACTORS)
    with pytest.raises(FileFormatError, match="no such file"):
        load_label_table(tmp_path / "b.csv", FACTORS)
    with pytest.raises(FileFormatError, match="got a folder"):
        load_label_table(tmp_path / "c.csv" if not (tmp_path / "c.csv").mkdir() else "", FACTORS)
    with pytest.raises(OutputError, match=r"named \.csv or \.jsonl"):
        save_label_table(tmp_path / "a.txt", labelled({"a": ("b", "")}))
