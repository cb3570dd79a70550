"""Changes of structure: JSON, arrays, archives, chunks; what is around them is made right again."""

import io
import json
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np

Change = Callable[[bytes, np.random.Generator], bytes]

VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2, 3.5, 255, 2**31, -(2**31), 2**53, 2**64, 10**30, 10**400),
    *(1e308, -1e308, 1e-320, float("nan"), float("inf"), -float("inf"), "", "x", "1", "nan"),
    *("../../../etc/passwd", "/etc/passwd", "a/b", "\0", "\ud800", "é" * 300, "-1"),
    *([], {}, [[]], [None], [0], ["x"], {"": None}, {"x": [1, 2, 3]}, [[1, 2], [3]], [1e999] * 3),
)
"""What a value of JSON becomes."""
_KINDS = ("u1", "i1", "<i2", "<i4", "<i8", "<u4", "<f2", "<f4", "<f8", "?", "<c8", "S3", "<U2")
_STORED = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2"}
_STORED |= {"I8": "i1", "U8": "u1", "BOOL": "?", "U16": "<u2", "U32": "<u4", "U64": "<u8"}


def structure_of(data: bytes, path: Path) -> str:
    """Return what a file is of that can be changed in its parts, empty for nothing known."""
    if data[:4] == b"glTF":
        return "glb"
    if data[:8] == b"\x89PNG\r\n\x1a\n":
        return "png"
    if data[:4] == b"PK\x03\x04":
        return "zip"
    if data[:6] == b"\x93NUMPY":
        return "npy"
    if data[:4] == b"\x89HDF":
        return "hdf"
    if data[257:262] == b"ustar":
        return "tar"
    if path.suffix == ".safetensors":
        return "tensors"
    if path.suffix == ".mat" and data[:6] == b"MATLAB":
        return "mat"
    if data[:1] in (b"{", b"["):
        return "rows" if path.suffix == ".jsonl" else "json"
    return ""


def _places(tree: Any) -> Iterator[tuple[Any, Any]]:
    """Yield (container, key) of all that lies in a tree."""
    if isinstance(tree, dict | list):
        for key in list(tree if isinstance(tree, dict) else range(len(tree))):
            yield tree, key
            yield from _places(tree[key])


def _unequal(rng: np.random.Generator, found: list[Any]) -> Any:
    """Choose one; those at the start, which are outermost, more often."""
    return found[min(int(len(found) * rng.random() ** 2), len(found) - 1)]


def change_tree(tree: Any, rng: np.random.Generator) -> Any:
    """Return a tree of JSON's types with one thing changed."""
    places = list(_places(tree))
    if not places or rng.random() < 0.03:
        return VALUES[int(rng.integers(len(VALUES)))]
    holder, key = _unequal(rng, places)
    value, change = holder[key], int(rng.integers(9))
    if change == 0:
        del holder[key]
    elif change == 1 and isinstance(holder, dict):
        holder[f"{key}_"] = holder.pop(key)
    elif change == 1:
        holder.insert(key, value)
    elif change == 2:
        holder[key] = [value]
    elif change == 3:
        holder[key] = str(value)
    elif change == 4 and isinstance(value, int | float):
        holder[key] = value + float(rng.choice([-1, 1, 0.5, 1e6])) * 1
    elif change == 5 and isinstance(value, int | float) and not isinstance(value, bool):
        holder[key] = int(value) + int(rng.choice([-1, 1, 2, 1000, 10**9, 10**12]))
    elif change == 6 and isinstance(value, list):
        holder[key] = value[: len(value) // 2] if rng.random() < 0.5 else value * 2
    elif change == 7 and len(places) > 1:
        other, name = _unequal(rng, places)
        holder[key], other[name] = other[name], value
    else:
        holder[key] = VALUES[int(rng.integers(len(VALUES)))]
    return tree


def _dumped(tree: Any) -> str:
    return json.dumps(tree)


def _json(data: bytes, rng: np.random.Generator) -> bytes:
    return _dumped(change_tree(json.loads(data), rng)).encode()


def _deep(data: bytes, rng: np.random.Generator) -> bytes:
    """Nest beyond what a parser follows, in place of a value."""
    depth = int(rng.choice([100, 100_000]))
    tree, mark = json.loads(data), "\1here"
    holder, key = _unequal(rng, list(_places(tree)))
    holder[key] = mark
    return _dumped(tree).replace(json.dumps(mark), "[" * depth + "]" * depth).encode()


def _twice(data: bytes, rng: np.random.Generator) -> bytes:
    """Give a key twice."""
    tree = json.loads(data)
    key = str(rng.choice(list(tree)))
    value = _dumped(VALUES[int(rng.integers(len(VALUES)))])
    return (_dumped(tree)[:-1] + f", {_dumped(key)}: {value}}}").encode()


def _rows(data: bytes, rng: np.random.Generator) -> bytes:
    rows = data.splitlines()
    number = int(rng.integers(len(rows)))
    change = int(rng.integers(5))
    if change == 0:
        rows.insert(number, rows[int(rng.integers(len(rows)))])
    elif change == 1:
        del rows[number]
    else:
        rows[number] = _json(rows[number], rng)
    return b"\n".join(rows) + b"\n"


def change_array(array: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return an array of other values, another type or another shape."""
    array, change = np.array(array), int(rng.integers(10))
    flat = array.reshape(-1)
    if change <= 3 and flat.size and array.dtype.kind in "iufb":
        extreme = [0, 1, -1, 2**31, np.nan, np.inf, -np.inf, 1e308, -1e30, 1e-310, 1e6]
        share = rng.choice([0.0, 0.1, 1.0])
        chosen = rng.random(flat.size) < share
        chosen[int(rng.integers(flat.size))] = True
        with np.errstate(all="ignore"):
            flat[chosen] = np.array(extreme[int(rng.integers(len(extreme)))]).astype(array.dtype)
        return array
    if change == 4:
        with np.errstate(all="ignore"):
            return array.astype(_KINDS[int(rng.integers(len(_KINDS)))])
    if change == 5:
        return array.T
    if change == 6:
        return array[None] if rng.random() < 0.5 else flat
    if change == 7 and array.ndim:
        return array[: len(array) // 2] if rng.random() < 0.5 else array[:0]
    if change == 8 and array.ndim:
        return np.concatenate([array, array], axis=int(rng.integers(array.ndim)))
    if change == 9 and flat.size:
        return flat[:1].reshape(()) if rng.random() < 0.5 else array[..., :-1]
    return np.array(rng.permutation(flat).reshape(array.shape))


def _npy(data: bytes, rng: np.random.Generator) -> bytes:
    if rng.random() < 0.3:
        return _npy_header(data, rng)
    stream = io.BytesIO()
    np.save(stream, change_array(np.load(io.BytesIO(data)), rng), allow_pickle=False)
    return stream.getvalue()


def _npy_header(data: bytes, rng: np.random.Generator) -> bytes:
    """Announce another shape or type than there is."""
    length = int.from_bytes(data[8:10], "little")
    body = data[10 + length :]
    shapes = ("(99999999999,)", "(-1,)", "(2, 3)", "()", "(1" + "," * 9 + ")", "(4000, 4000, 400)")
    kinds = ("|O", "<f8", "<U9", "<M8[s]", "|V7", "<i4", "[('a', '<f8')]", "x")
    order = str(rng.choice(["True", "False", "1", "__import__('os')"]))
    kind, shape = kinds[int(rng.integers(len(kinds)))], shapes[int(rng.integers(len(shapes)))]
    header = f"{{'descr': '{kind}', 'fortran_order': {order}, 'shape': {shape}, }}"
    header += " " * (-(11 + len(header)) % 64) + "\n"
    return data[:8] + len(header).to_bytes(2, "little") + header.encode() + body


def _zip(data: bytes, rng: np.random.Generator) -> bytes:
    """Leave out, repeat, rename, add or change a member."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = [(item.filename, archive.read(item)) for item in archive.infolist()]
    number, change = int(rng.integers(len(members))), int(rng.integers(6))
    name, content = members[number]
    if change == 0:
        del members[number]
    elif change == 1:
        members[number] = (f"{name}_", content)
    elif change == 2:
        members.append(("../../outside.npy", content))
    elif change == 3:
        members[number] = (name, content[: len(content) // 2])
    else:
        members[number] = (name, _npy(content, rng))
    return _zipped(members, int(rng.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])))


def _zipped(members: list[tuple[str, bytes]], way: int) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", way, compresslevel=1) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return packed.getvalue()


def _bomb(data: bytes, rng: np.random.Generator) -> bytes:
    """Pack a gigabyte of zeros announced by a header in place of a member."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {item.filename: archive.read(item) for item in archive.infolist()}
    name = str(rng.choice(list(members)))
    members[name] = members[name][:128] + bytes(30_000_000)
    return _zipped(list(members.items()), zipfile.ZIP_DEFLATED).replace(
        (len(members[name])).to_bytes(4, "little"), (4_000_000_000).to_bytes(4, "little")
    )


def _header_and_body(data: bytes) -> tuple[dict[str, Any], bytes]:
    size = int.from_bytes(data[:8], "little")
    return json.loads(data[8 : 8 + size]), data[8 + size :]


def _packed(table: Any, body: bytes) -> bytes:
    text = _dumped(table).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + body


def _tensors_table(data: bytes, rng: np.random.Generator) -> bytes:
    table, body = _header_and_body(data)
    return _packed(change_tree(table, rng), body)


def _tensors_record(data: bytes, rng: np.random.Generator) -> bytes:
    """Change what the file says of itself: kind, schema, topology, settings."""
    table, body = _header_and_body(data)
    told = table["__metadata__"]
    key = str(rng.choice(list(told)))
    told[key] = _dumped(change_tree(json.loads(told[key]), rng))
    return _packed(table, body)


def _tensors_array(data: bytes, rng: np.random.Generator) -> bytes:
    """Change one array, and keep the file whole."""
    table, body = _header_and_body(data)
    names = [name for name in table if name != "__metadata__"]
    chosen, change = str(rng.choice(names)), int(rng.integers(6))
    parts, place = {}, 0
    written = {"__metadata__": table["__metadata__"]} if "__metadata__" in table else {}
    for name in names:
        told = table[name]
        if name == chosen and change == 0:
            continue
        start, stop = told["data_offsets"]
        raw = np.frombuffer(body[start:stop], _STORED[told["dtype"]]).reshape(told["shape"])
        if name == chosen and change >= 2:
            raw = change_array(raw, rng)
            codes = {np.dtype(code): key for key, code in _STORED.items()}
            told = {"dtype": codes.get(raw.dtype, told["dtype"]), "shape": list(raw.shape)}
        content = np.ascontiguousarray(raw).tobytes()
        told = told | {"data_offsets": [place, place + len(content)]}
        written[f"{name}_" if name == chosen and change == 1 else name] = told
        parts[name], place = content, place + len(content)
    return _packed(written, b"".join(parts.values()))


def _glb(data: bytes, rng: np.random.Generator) -> bytes:
    """Change the JSON of a GLB, its lengths made right."""
    length = int.from_bytes(data[12:16], "little")
    tree, rest = json.loads(data[20 : 20 + length]), data[20 + length :]
    text = _dumped(change_tree(tree, rng)).encode()
    text += b" " * (-len(text) % 4)
    head = struct.pack("<4sIIII", b"glTF", 2, 20 + len(text) + len(rest), len(text), 0x4E4F534A)
    return head + text + rest


def _png(data: bytes, rng: np.random.Generator) -> bytes:
    """Change the chunks of a PNG, their checksums made right."""
    chunks, place = [], 8
    while place + 12 <= len(data):
        length = int.from_bytes(data[place : place + 4], "big")
        body = bytearray(data[place + 8 : place + 8 + length])
        chunks.append([data[place + 4 : place + 8], body])
        place += 12 + length
    number, change = int(rng.integers(len(chunks))), int(rng.integers(6))
    body = chunks[number][1]
    if change == 0:
        del chunks[number]
    elif change == 1:
        chunks.insert(int(rng.integers(len(chunks))), chunks[number])
    elif change == 2:
        chunks[0][1][int(rng.integers(13))] = int(rng.choice([0, 1, 2, 3, 4, 6, 8, 16, 255]))
    elif change == 3:
        start = int(rng.choice([0, 4]))
        size = int(rng.choice([0, 1, 1000, 100_000, 2**31 - 1]))
        chunks[0][1][start : start + 4] = size.to_bytes(4, "big")
    elif body:
        body[int(rng.integers(len(body)))] = int(rng.integers(256))
    return data[:8] + b"".join(
        len(body).to_bytes(4, "big") + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )


def _hdf(data: bytes, rng: np.random.Generator) -> bytes:
    """Leave out, replace, link away or change a data set."""
    stream = io.BytesIO(data)
    with h5py.File(stream, "r+") as file:
        names: list[str] = []
        file.visit(names.append)
        name = str(rng.choice(names))
        item, change = file[name], int(rng.integers(7))
        if change == 0:
            del file[name]
        elif change == 1:
            file.move(name, f"{name}_")
        elif change == 2:
            del file[name]
            away = rng.random() < 0.5
            file[name] = h5py.ExternalLink("/etc/passwd", "/") if away else h5py.SoftLink(name)
        elif change == 3:
            del file[name]
            file.create_dataset(name, (10**6, 10**6), "f4", chunks=True)
        elif isinstance(item, h5py.Dataset) and item.dtype.kind in "iufb":
            array = change_array(item[()], rng)
            del file[name]
            file[name] = array.astype("f4") if array.dtype.kind == "U" else array
        elif item.attrs:
            key = str(rng.choice(list(item.attrs)))
            item.attrs[key] = str(rng.choice(["", "x", "1e400"])) if rng.random() < 0.5 else -1
        else:
            del file[name]
            file.create_group(name)
    return stream.getvalue()


def _mat(data: bytes, rng: np.random.Generator) -> bytes:
    import scipy.io

    fields = {k: v for k, v in scipy.io.loadmat(io.BytesIO(data)).items() if k[:2] != "__"}
    name, change = str(rng.choice(list(fields))), int(rng.integers(6))
    if change == 0:
        del fields[name]
    elif change == 1:
        fields[f"{name}_"] = fields.pop(name)
    elif change == 2:
        fields[name] = {"a": 1, "b": "text"} if rng.random() < 0.5 else "text"
    else:
        fields[name] = change_array(fields[name], rng)
    stream = io.BytesIO()
    scipy.io.savemat(stream, fields, do_compression=bool(rng.random() < 0.5))
    return stream.getvalue()


def _tar(data: bytes, rng: np.random.Generator) -> bytes:
    """Change a member of a tar or its header, the checksum made right."""
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        places = [(member.offset, member.offset_data, member.size) for member in archive]
    head, start, size = places[int(rng.integers(len(places)))]
    content = bytearray(data)
    if rng.random() < 0.5:
        names = (b"../../x.png", b"/etc/x.png", b"a.json", b"\xff.png", b"x" * 99)
        sizes = (b"77777777777", b"00000000000", b"-0000000001", b"z" * 11, b"\x80" + b"\xff" * 10)
        if rng.random() < 0.5:
            name = names[int(rng.integers(len(names)))]
            content[head : head + 100] = name.ljust(100, b"\0")
        else:
            content[head + 124 : head + 135] = sizes[int(rng.integers(len(sizes)))]
        content[head + 148 : head + 156] = b" " * 8
        content[head + 148 : head + 155] = b"%06o\0" % sum(content[head : head + 512])
    elif size:
        inner = bytes(content[start : start + size])
        kind = structure_of(inner, Path("x"))
        change = STRUCTURES[kind]["change"](inner, rng) if kind else inner[::-1]
        content[start : start + size] = change[:size].ljust(size)
    return bytes(content)


STRUCTURES: dict[str, dict[str, Change]] = {
    "json": {"change": _json, "and again": lambda d, r: _json(_json(d, r), r), "deep": _deep}
    | {"and thrice": lambda d, r: _json(_json(_json(d, r), r), r), "twice": _twice},
    "rows": {"change": _rows},
    "npy": {"change": _npy, "header": _npy_header},
    "zip": {"change": _zip, "more": _zip, "and more": _zip, "bomb": _bomb},
    "tensors": {"table": _tensors_table, "record": _tensors_record, "array": _tensors_array}
    | {"records": _tensors_record, "arrays": _tensors_array},
    "glb": {"change": _glb},
    "png": {"change": _png},
    "hdf": {"change": _hdf},
    "mat": {"change": _mat},
    "tar": {"change": _tar},
}
"""{structure: {name: change}}."""
