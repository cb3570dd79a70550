"""The list of a set's tar shards."""

from collections.abc import Sequence
from pathlib import Path

from geomface.batch.records import ItemRecord
from geomface.datasets import layout
from geomface.files.records import write_json


def write_shard_index(out: Path, records: Sequence[ItemRecord]) -> None:
    """Write the list of shards in the form that WebDataset's indexed reader takes."""
    shards = [
        {
            "url": output.path,
            "nsamples": int(record.figures["written"]),
            "filesize": output.size,
            "sha256": output.sha256,
        }
        for record in records
        for output in record.outputs
        if output.path.endswith(layout.SHARD)
    ]
    index = {"__kind__": "wids-shard-index-v1", "wids_version": 1, "shardlist": shards}
    write_json(out / layout.SHARD_INDEX, index)
