"""The PLY container: header, elements, scalar and list properties, ascii and binary."""

import dataclasses
import struct

import numpy as np

from geomface.errors import FileFormatError
from geomface.files.reading import parse_numbers

_CODES = {
    "char": "i1",
    "int8": "i1",
    "uchar": "u1",
    "uint8": "u1",
    "short": "i2",
    "int16": "i2",
    "ushort": "u2",
    "uint16": "u2",
    "int": "i4",
    "int32": "i4",
    "uint": "u4",
    "uint32": "u4",
    "int64": "i8",
    "uint64": "u8",
    "float": "f4",
    "float32": "f4",
    "double": "f8",
    "float64": "f8",
}
_ENDIAN = {"ascii": "<", "binary_little_endian": "<", "binary_big_endian": ">"}
_LETTERS: dict[str, str] = dict(
    zip(("i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8"), "bBhHiIqQ", strict=True)
)
_LETTERS |= {"f4": "f", "f8": "d"}


@dataclasses.dataclass(frozen=True)
class Property:
    """A property of an element; `length` is the type code of a list's length, None for scalars.

    `declared` is the header's type; `code` is how the values are held (ascii holds doubles).
    """

    name: str
    declared: str
    code: str
    length: str | None


@dataclasses.dataclass(frozen=True)
class Element:
    """An element: its name, number of rows and properties."""

    name: str
    count: int
    properties: tuple[Property, ...]


@dataclasses.dataclass(frozen=True)
class Column:
    """Values of one property: (rows,) scalars, or a list's values end to end with `counts`."""

    values: np.ndarray
    declared: str
    counts: np.ndarray | None = None


Table = dict[str, Column]


def read_layout(data: bytes, name: str) -> tuple[dict[str, Table], list[str]]:
    """Return {element: {property: Column}} and the comments of a PLY file.

    Raises
    ------
    FileFormatError : not PLY, header damaged, content truncated
    """
    encoding, elements, comments, start = _header(data, name)
    endian = _ENDIAN[encoding]
    body = memoryview(data)[start:]
    if encoding == "ascii":
        # From here on an ascii file is a binary one of doubles.
        body = memoryview(
            parse_numbers(bytes(body), None, name, "PLY data").astype("<f8").tobytes()
        )
    tables: dict[str, Table] = {}
    offset = 0
    for element in elements:
        lists = any(item.length for item in element.properties)
        read = _read_lists if lists else _read_scalars
        table, offset = read(body, offset, element, endian, name)
        tables.setdefault(element.name, table)
    return tables, comments


def _header(data: bytes, name: str) -> tuple[str, list[Element], list[str], int]:
    if data[:3] != b"ply" or data[3:4] not in (b"\n", b"\r"):
        raise FileFormatError(
            f"{name}: expected a PLY mesh (first line 'ply'). Check that the file is what its name "
            "says."
        )
    end = data.find(b"\nend_header")
    end = data.find(b"\rend_header") if end < 0 else end
    if end < 0 or end + 12 > len(data):
        raise FileFormatError(f"{name}: truncated, the PLY header has no end. Copy it again.")
    start = end + len(b"\nend_header")
    start += 2 if data[start : start + 2] == b"\r\n" else 1
    encoding, comments = "", []
    drafts: list[tuple[str, int, list[Property]]] = []
    for raw in data[:end].splitlines()[1:]:
        line = raw.decode("utf-8", "surrogateescape")
        words = line.split()
        try:
            if not words or words[0] == "obj_info":
                continue
            if words[0] == "comment":
                comments.append(line.strip()[len("comment") :].strip())
            elif words[0] == "format":
                encoding = words[1]
                _ENDIAN[encoding]
            elif words[0] == "element":
                drafts.append((words[1], int(words[2]), []))
                if drafts[-1][1] < 0:
                    raise ValueError("negative count")
            elif words[0] == "property":
                drafts[-1][2].append(_property(words, encoding))
            else:
                raise ValueError("unknown keyword")
        except (IndexError, KeyError, ValueError) as error:
            raise FileFormatError(
                f"{name}: damaged PLY header, cannot understand the line {line[:80]!r} ({error}). "
                "Export it again."
            ) from error
    if not encoding:
        raise FileFormatError(f"{name}: damaged PLY header, it names no format. Export it again.")
    elements = [Element(label, count, tuple(items)) for label, count, items in drafts]
    return encoding, elements, comments, start


def _property(words: list[str], encoding: str) -> Property:
    is_list = words[1] == "list"
    declared = _CODES[words[3 if is_list else 1]]
    length = _CODES[words[2]] if is_list else None
    if length is not None and length[0] == "f":
        raise ValueError("a list length must be an integer")
    code = "f8" if encoding == "ascii" else declared
    if length is not None and encoding == "ascii":
        length = "f8"
    return Property(words[4 if is_list else 2], declared, code, length)


def _truncated(element: Element, name: str) -> FileFormatError:
    return FileFormatError(
        f"{name}: truncated, the header announces {element.count} rows of '{element.name}' and the "
        "file ends before. Copy or export it again."
    )


def _read_scalars(
    body: memoryview, offset: int, element: Element, endian: str, name: str
) -> tuple[Table, int]:
    dtype = np.dtype(
        [(f"p{place}", endian + item.code) for place, item in enumerate(element.properties)]
    )
    end = offset + dtype.itemsize * element.count
    if end > len(body):
        raise _truncated(element, name)
    if not element.properties:
        return {}, offset
    rows = np.frombuffer(body, dtype, element.count, offset)
    table = {
        item.name: Column(rows[f"p{place}"], item.declared)
        for place, item in enumerate(element.properties)
    }
    return table, end


def _read_lists(
    body: memoryview, offset: int, element: Element, endian: str, name: str
) -> tuple[Table, int]:
    if element.count == 0:
        empty = np.empty(0, np.int64)
        return {
            item.name: Column(
                np.empty(0, item.declared), item.declared, empty if item.length else None
            )
            for item in element.properties
        }, offset
    try:
        lengths, _ = _walk(body, offset, element, endian, 1)
        fields: list[tuple] = []
        for place, (item, length) in enumerate(zip(element.properties, lengths, strict=True)):
            if item.length:
                fields += [(f"n{place}", endian + item.length)]
                fields += [(f"p{place}", endian + item.code, (int(length[0, 1]),))]
            else:
                fields += [(f"p{place}", endian + item.code)]
        # Nearly all files have lists of one length; then the rows are records.
        dtype = np.dtype(fields)
        end = offset + dtype.itemsize * element.count
        if end <= len(body):
            rows = np.frombuffer(body, dtype, element.count, offset)
            if all(
                (rows[f"n{place}"] == lengths[place][0, 1]).all()
                for place, item in enumerate(element.properties)
                if item.length
            ):
                return _record_table(rows, element, lengths), end
        if element.count > len(body) - offset:
            raise _truncated(element, name)  # each row takes a byte at least
        lengths, end = _walk(body, offset, element, endian, element.count)
    except (struct.error, ValueError, OverflowError) as error:
        raise _truncated(element, name) from error
    whole = np.frombuffer(body, np.uint8)
    table = {}
    for item, spans in zip(element.properties, lengths, strict=True):
        size = np.dtype(item.code).itemsize
        counts = spans[:, 1]
        ends = np.cumsum(counts)
        within = np.arange(ends[-1]) - np.repeat(ends - counts, counts)
        places = np.repeat(spans[:, 0], counts) + size * within
        values = whole[places[:, None] + np.arange(size)].reshape(-1).view(endian + item.code)
        table[item.name] = Column(values, item.declared, counts if item.length else None)
    return table, end


def _record_table(rows: np.ndarray, element: Element, lengths: list[np.ndarray]) -> Table:
    table = {}
    for place, item in enumerate(element.properties):
        values = rows[f"p{place}"]
        counts = None
        if item.length:
            counts = np.full(len(rows), lengths[place][0, 1])
            values = values.reshape(-1)
        table[item.name] = Column(values, item.declared, counts)
    return table


def _walk(
    body: memoryview, offset: int, element: Element, endian: str, rows: int
) -> tuple[list[np.ndarray], int]:
    """Step through rows; return per property (rows, 2) byte offset and count, and the end.

    Raises struct.error or ValueError where the content ends or a length is no length.
    """
    steps = []
    for item in element.properties:
        size = np.dtype(item.code).itemsize
        length = struct.Struct(endian + _LETTERS[item.length]) if item.length else None
        steps.append((size, length, []))
    for _ in range(rows):
        for size, length, spans in steps:
            count = 1
            if length is not None:
                (count,) = length.unpack_from(body, offset)
                if count < 0 or count != int(count):
                    raise ValueError("not a list length")
                count = int(count)
                offset += length.size
            spans.append((offset, count))
            offset += size * count
        if offset > len(body):
            raise ValueError("past the end")
    return [np.array(spans, np.int64).reshape(-1, 2) for _, _, spans in steps], offset
