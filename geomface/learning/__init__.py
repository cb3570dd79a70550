"""Learning: phases, streams and one training loop; a system is its networks, losses and data."""

from typing import TYPE_CHECKING

from geomface.lazy import attach

if TYPE_CHECKING:
    from geomface.learning.adversarial import LOSS_KINDS as LOSS_KINDS
    from geomface.learning.adversarial import AdversarialSettings as AdversarialSettings
    from geomface.learning.adversarial import BeganBalance as BeganBalance
    from geomface.learning.adversarial import LossKind as LossKind
    from geomface.learning.adversarial import d_loss as d_loss
    from geomface.learning.adversarial import discriminator_loss as discriminator_loss
    from geomface.learning.adversarial import g_loss as g_loss
    from geomface.learning.adversarial import generator_loss as generator_loss
    from geomface.learning.adversarial import next_began_k as next_began_k
    from geomface.learning.device import ComputeSettings as ComputeSettings
    from geomface.learning.device import choose_device as choose_device
    from geomface.learning.distributed import Ranks as Ranks
    from geomface.learning.distributed import current_ranks as current_ranks
    from geomface.learning.distributed import join_ranks as join_ranks
    from geomface.learning.ema import EmaSettings as EmaSettings
    from geomface.learning.ema import half_life_decay as half_life_decay
    from geomface.learning.ema import make_ema as make_ema
    from geomface.learning.ema import update_ema as update_ema
    from geomface.learning.errors import CheckpointError as CheckpointError
    from geomface.learning.errors import DatasetError as DatasetError
    from geomface.learning.errors import DeviceError as DeviceError
    from geomface.learning.errors import DivergenceError as DivergenceError
    from geomface.learning.errors import LostPeerError as LostPeerError
    from geomface.learning.errors import ResumeError as ResumeError
    from geomface.learning.holdout import held_out as held_out
    from geomface.learning.holdout import is_held_out as is_held_out
    from geomface.learning.loop import LoopSettings as LoopSettings
    from geomface.learning.loop import Task as Task
    from geomface.learning.loop import TrainingResult as TrainingResult
    from geomface.learning.loop import train as train
    from geomface.learning.masking import MaskedDiscriminator as MaskedDiscriminator
    from geomface.learning.masking import fade_with_mask as fade_with_mask
    from geomface.learning.masking import halve_with_mask as halve_with_mask
    from geomface.learning.masking import hide as hide
    from geomface.learning.masking import min_pool as min_pool
    from geomface.learning.metrics_log import Metrics as Metrics
    from geomface.learning.metrics_log import MetricsLog as MetricsLog
    from geomface.learning.metrics_log import format_metrics as format_metrics
    from geomface.learning.metrics_log import read_metrics as read_metrics
    from geomface.learning.optimizers import OptimizerSettings as OptimizerSettings
    from geomface.learning.optimizers import ParameterGroup as ParameterGroup
    from geomface.learning.optimizers import Schedule as Schedule
    from geomface.learning.penalties import drift_penalty as drift_penalty
    from geomface.learning.penalties import gradient_penalty as gradient_penalty
    from geomface.learning.penalties import r1_penalty as r1_penalty
    from geomface.learning.phase import Phase as Phase
    from geomface.learning.phase import frozen as frozen
    from geomface.learning.randomness import batch_indices as batch_indices
    from geomface.learning.randomness import stream_generator as stream_generator
    from geomface.learning.run_directory import Resume as Resume
    from geomface.learning.run_directory import RunDirectory as RunDirectory
    from geomface.learning.run_directory import newest_checkpoint as newest_checkpoint
    from geomface.learning.run_directory import open_run as open_run
    from geomface.learning.run_directory import read_run as read_run
    from geomface.learning.run_directory import settings_difference as settings_difference
    from geomface.learning.samples import Samples as Samples
    from geomface.learning.samples import image_grid as image_grid
    from geomface.learning.samples import to_pictures as to_pictures
    from geomface.learning.state import TrainingState as TrainingState
    from geomface.learning.state import load_checkpoint as load_checkpoint
    from geomface.learning.state import load_module as load_module
    from geomface.learning.state import save_checkpoint as save_checkpoint
    from geomface.learning.stream import Batch as Batch
    from geomface.learning.stream import Dataset as Dataset
    from geomface.learning.stream import Draws as Draws
    from geomface.learning.stream import Stream as Stream
    from geomface.learning.stream import class_batches as class_batches
    from geomface.learning.system import System as System
    from geomface.learning.task import PhasedTask as PhasedTask
else:
    __getattr__, __dir__, __all__ = attach(__name__, __file__)
