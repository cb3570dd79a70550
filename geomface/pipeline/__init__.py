"""Batches: a folder of scans in, everything on one template out, a record for every item."""

from typing import TYPE_CHECKING

from geomface.lazy import attach

if TYPE_CHECKING:
    from geomface.batch.events import PipelineEvent as PipelineEvent
    from geomface.batch.records import ItemRecord as ItemRecord
    from geomface.pipeline.manifest import ScanFile as ScanFile
    from geomface.pipeline.manifest import find_scans as find_scans
    from geomface.pipeline.plan import PipelinePlan as PipelinePlan
    from geomface.pipeline.plan import plan_pipeline as plan_pipeline
    from geomface.pipeline.run import PipelineReport as PipelineReport
    from geomface.pipeline.run import load_run as load_run
    from geomface.pipeline.run import run_pipeline as run_pipeline
    from geomface.pipeline.settings import ItemSettings as ItemSettings
    from geomface.pipeline.settings import ModelSettings as ModelSettings
    from geomface.pipeline.settings import PipelineSettings as PipelineSettings
    from geomface.pipeline.status import PipelineStatus as PipelineStatus
    from geomface.pipeline.status import read_status as read_status
    from geomface.pipeline.status import verify_outputs as verify_outputs
else:
    __getattr__, __dir__, __all__ = attach(__name__, __file__)
