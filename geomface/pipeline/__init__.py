"""Batches: a folder of scans in, everything on one template out, a record for every item."""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from geomface.batch.events import PipelineEvent
    from geomface.batch.records import ItemRecord
    from geomface.pipeline.manifest import ScanFile, find_scans
    from geomface.pipeline.plan import PipelinePlan, plan_pipeline
    from geomface.pipeline.run import PipelineReport, load_run, run_pipeline
    from geomface.pipeline.settings import ItemSettings, ModelSettings, PipelineSettings
    from geomface.pipeline.status import PipelineStatus, read_status, verify_outputs

# Lazy (PEP 562): the command line reads the settings for its help and must not load numerics.
_HOMES = {
    "ItemRecord": "batch.records",
    "ItemSettings": "pipeline.settings",
    "ModelSettings": "pipeline.settings",
    "PipelineEvent": "batch.events",
    "PipelinePlan": "pipeline.plan",
    "PipelineReport": "pipeline.run",
    "PipelineSettings": "pipeline.settings",
    "PipelineStatus": "pipeline.status",
    "ScanFile": "pipeline.manifest",
    "find_scans": "pipeline.manifest",
    "load_run": "pipeline.run",
    "plan_pipeline": "pipeline.plan",
    "read_status": "pipeline.status",
    "run_pipeline": "pipeline.run",
    "verify_outputs": "pipeline.status",
}

__all__ = [
    "ItemRecord",
    "ItemSettings",
    "ModelSettings",
    "PipelineEvent",
    "PipelinePlan",
    "PipelineReport",
    "PipelineSettings",
    "PipelineStatus",
    "ScanFile",
    "find_scans",
    "load_run",
    "plan_pipeline",
    "read_status",
    "run_pipeline",
    "verify_outputs",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"geomface.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
