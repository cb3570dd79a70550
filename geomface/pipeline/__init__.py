"""Batches: a folder of scans in, everything on one template out, a record for every item."""

from typing import TYPE_CHECKING

from geomface.lazy import attach

if TYPE_CHECKING:
    from geomface.batch.events import JobEvent as JobEvent
    from geomface.batch.folder import JobStatus as JobStatus
    from geomface.batch.job import Job as Job
    from geomface.batch.job import JobReport as JobReport
    from geomface.batch.plan import JobPlan as JobPlan
    from geomface.batch.plan import plan_job as plan_job
    from geomface.batch.records import ItemRecord as ItemRecord
    from geomface.batch.run import run_job as run_job
    from geomface.pipeline.aligned_sets import AlignedSetSettings as AlignedSetSettings
    from geomface.pipeline.aligned_sets import align_set as align_set
    from geomface.pipeline.face_pictures import FaceSetSettings as FaceSetSettings
    from geomface.pipeline.face_pictures import face_job as face_job
    from geomface.pipeline.face_pictures import generate_faces as generate_faces
    from geomface.pipeline.jobs import open_job as open_job
    from geomface.pipeline.jobs import read_status as read_status
    from geomface.pipeline.jobs import verify_outputs as verify_outputs
    from geomface.pipeline.own_template import OwnTemplate as OwnTemplate
    from geomface.pipeline.own_template import make_template as make_template
    from geomface.pipeline.scans import load_run as load_run
    from geomface.pipeline.scans import run_pipeline as run_pipeline
    from geomface.pipeline.scans import scan_job as scan_job
    from geomface.pipeline.settings import ItemSettings as ItemSettings
    from geomface.pipeline.settings import ModelSettings as ModelSettings
    from geomface.pipeline.settings import PipelineSettings as PipelineSettings
    from geomface.pipeline.texture_sets import make_textures as make_textures
    from geomface.pipeline.texture_sets import texture_job as texture_job
    from geomface.pipeline.texture_settings import TextureSetSettings as TextureSetSettings
else:
    __getattr__, __dir__, __all__ = attach(__name__, __file__)
