"""What the fuzzing found, one case a class: each once ended in a traceback or in all memory."""

import io
import json
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from fuzz_learned import learned_readers  # noqa: E402
from fuzz_meshes import mesh_readers, picture_readers  # noqa: E402
from fuzz_models import record_readers  # noqa: E402
from fuzz_reader import Reader  # noqa: E402
from fuzz_sets import job_readers, set_readers  # noqa: E402

from geomface.errors import GeomfaceError, OutOfMemoryError  # noqa: E402
from geomface.files.picture_text import text_of, with_text  # noqa: E402

READERS = {
    reader.name: reader
    for reader in (
        *mesh_readers(),
        *picture_readers(),
        *record_readers(),
        *learned_readers(),
        *set_readers(),
        *job_readers(),
    )
}
Change = Callable[[bytes], bytes]


def told(key: str, change: Callable[[Any], Any]) -> Change:
    """Change what a safetensors file of ours says of itself."""

    def apply(data: bytes) -> bytes:
        size = int.from_bytes(data[:8], "little")
        table = json.loads(data[8 : 8 + size])
        record = json.loads(table["__metadata__"]["geomface"])
        record[key] = change(record[key])
        table["__metadata__"]["geomface"] = json.dumps(record)
        text = json.dumps(table).encode()
        return len(text).to_bytes(8, "little") + text + data[8 + size :]

    return apply


def arrays(change: Callable[[dict[str, Any]], None]) -> Change:
    """Change the table of the arrays of a safetensors file."""

    def apply(data: bytes) -> bytes:
        size = int.from_bytes(data[:8], "little")
        table = json.loads(data[8 : 8 + size])
        change(table)
        text = json.dumps(table).encode()
        return len(text).to_bytes(8, "little") + text + data[8 + size :]

    return apply


def entry(**changes: Any) -> Change:
    """Change entries of a JSON file."""
    return lambda data: json.dumps(json.loads(data) | changes).encode()


def without(name: str) -> Callable[[dict], dict]:
    return lambda record: {key: value for key, value in record.items() if key != name}


def inner(name: str, **changes: Any) -> Callable[[dict], dict]:
    return lambda record: record | {name: record[name] | changes}


def renamed(name: str) -> Change:
    return arrays(lambda table: table.update({f"{name}_": table.pop(name)}))


def flattened(name: str) -> Change:
    def change(table: dict[str, Any]) -> None:
        table[name]["shape"] = [int(np.prod(table[name]["shape"]))]

    return arrays(change)


def open_head(data: bytes) -> bytes:
    """Leave a bracket open in the head of a npy file."""
    return data.replace(b"(", b"[", 1).replace(b")", b"(", 1)


def damaged(data: bytes) -> bytes:
    return data.replace(b"dtype", b"dtypo", 1)


def huge_member(data: bytes) -> bytes:
    """Let the label of a picture in a tar announce eight gigabytes, its checksum made right."""
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        head = next(member.offset for member in archive if member.name.endswith(".json"))
    content = bytearray(data)
    content[head + 124 : head + 135] = b"77777777777"
    content[head + 148 : head + 156] = b" " * 8
    content[head + 148 : head + 155] = b"%06o\0" % sum(content[head : head + 512])
    return bytes(content)


def bomb(data: bytes) -> bytes:
    """Let the mask of a geometry image unpack to two gigabytes, from a text of megabytes."""
    import base64
    import zlib

    text = text_of(data)
    record = json.loads(text or "")
    packer, block = zlib.compressobj(1), bytes(2**24)
    packed = b"".join(packer.compress(block) for _ in range(2**7)) + packer.flush()
    record["mask"] = base64.b64encode(packed).decode()
    return with_text(data, json.dumps(record))


def far_away(data: bytes) -> bytes:
    record = json.loads(data)
    record["points"][0] = [1e15, 0.0]
    return json.dumps(record).encode()


def smaller(data: bytes) -> bytes:
    from PIL import Image

    stream = io.BytesIO()
    Image.open(io.BytesIO(data)).resize((4, 8)).save(stream, "PNG")
    return stream.getvalue()


def tall(data: bytes) -> bytes:
    """Let the head of a TIFF announce eight million rows (entry 257) where there are nine."""
    place = data.index(b"\1\1\4\0\1\0\0\0") + 8
    return data[:place] + (2**23 - 9).to_bytes(4, "little") + data[place + 4 :]


def turned_by_nothing(data: bytes) -> bytes:
    """Give a node of a GLB a rotation and a scale that overflow."""
    length = int.from_bytes(data[12:16], "little")
    tree = json.loads(data[20 : 20 + length])
    tree["nodes"][0] |= {"rotation": [1e308, 1e308, 0, 0], "scale": [0.0, 1e308, 1e308]}
    text = json.dumps(tree).encode()
    text += b" " * (-len(text) % 4)
    total = len(data) - length + len(text)
    return (
        data[:8]
        + b"".join(
            (total.to_bytes(4, "little"), len(text).to_bytes(4, "little"), data[16:20], text)
        )
        + data[20 + length :]
    )


REFUSED: dict[str, tuple[str, str, Change]] = {
    "no system": ("generator.safetensors", "generator*", told("config", without("system"))),
    "no step": ("generator.safetensors", "generator*", told("config", without("step"))),
    "header of a list": ("generator.safetensors", "generator*", told("config", lambda config: [])),
    "level of a text": (
        "generator.safetensors",
        "generator*",
        told("config", inner("scalars", level="x")),
    ),
    "network beyond memory": (
        "embedder.safetensors",
        "embedder*",
        told("config", inner("network", descriptor_size=2**40)),
    ),
    "joint without reach": ("joint.safetensors", "joint*", told("config", lambda config: None)),
    "VAE without card": ("vaes.safetensors", "vaes*", told("config", lambda config: ["a"])),
    "VAE of other shapes": ("vaes.safetensors", "vaes*", flattened("pose/decoder/0/weights")),
    "drawn rows of other names": ("drawn_set", "00001*", renamed("a")),
    "drawn rows, damaged": ("drawn_set", "00001*", damaged),
    "open bracket in npy": ("aligned_faces", "set/parts/*/images.npy", open_head),
    "row of a number": ("aligned_faces", "set/manifest.jsonl", lambda data: b"5\n" + data),
    "unit of 400 digits": ("registered_faces", "items/s0/report.json", entry(unit_factor=10**400)),
    "unit of a list": ("registered_faces", "items/s0/report.json", entry(unit_factor=[1])),
    "seconds of 400 digits": ("a.001.json", "a.001.json", entry(seconds=10**400)),
    "huge member": ("pictures.tar", "pictures.tar", huge_member),
    "count of a fraction": ("job.textures", "out/set.json", entry(count=3.5)),
    "count beyond reason": ("job.textures", "out/set.json", entry(count=10**15)),
    "rotation that overflows": ("theirs.glb", "theirs.glb", turned_by_nothing),
    "more rows than there are": ("picture.tiff", "picture.tiff", tall),
    "shape of 400 digits": ("fits", "ben/fit.json", entry(shape=[10**400, 1.0])),
    "no fingerprints": ("run.resumed", "data.json", lambda data: b"[1]"),
    "mask of another size": ("registered_faces", "items/s0/mask.png", smaller),
}


def spoil(reader: Reader, folder: Path, pattern: str, change: Change) -> None:
    """Make the good files, see that they are read, and change one."""
    reader.write(folder)
    reader.read(folder)
    path = next(iter(sorted(folder.glob(pattern))))
    data = path.read_bytes()
    path.write_bytes(change(data))
    assert path.read_bytes() != data


@pytest.mark.parametrize("case", REFUSED)
def test_it_is_refused_in_a_sentence(case: str, tmp_path: Path) -> None:
    name, pattern, change = REFUSED[case]
    spoil(READERS[name], tmp_path, pattern, change)
    with pytest.raises(GeomfaceError) as caught:
        READERS[name].read(tmp_path)
    assert not isinstance(caught.value, OutOfMemoryError)
    assert len(str(caught.value)) > 40


def test_metrics_leave_out_what_is_damaged(tmp_path: Path) -> None:
    from geomface.learning.metrics_log import read_metrics

    lines = [b'{"step": 1, "loss": 0.5}', b"\xff\xfe", b"5", b'{"step": "x"}', b'{"step": 2, "lo']
    (tmp_path / "metrics.jsonl").write_bytes(b"\n".join([*lines, b'{"step": 3}']))
    assert [row["step"] for row in read_metrics(tmp_path / "metrics.jsonl")] == [1, 3]


def test_landmarks_far_away_fail_their_picture_only(tmp_path: Path) -> None:
    spoil(READERS["stills"], tmp_path, "2.landmarks.json", far_away)
    found = READERS["stills"].read(tmp_path)
    assert [name for name, _ in found.failed] == ["2.png"] and len(found.frames.images) == 2


def test_a_mask_unpacks_no_further_than_its_picture(tmp_path: Path) -> None:
    import resource

    reader = READERS["geometry_image.png"]
    spoil(reader, tmp_path, "*.png", bomb)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert reader.read(tmp_path).mask.shape == (8, 8)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 2**18  # KB
