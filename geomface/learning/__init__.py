"""Training: the loop, its run directory, exact resume, adversarial losses, masks."""

from geomface.learning.adversarial import (
    LOSS_KINDS,
    AdversarialSettings,
    LossKind,
    discriminator_loss,
    generator_loss,
    next_began_k,
)
from geomface.learning.device import ComputeSettings, choose_device
from geomface.learning.ema import half_life_decay, make_ema, update_ema
from geomface.learning.errors import (
    CheckpointError,
    DatasetError,
    DeviceError,
    DivergenceError,
    LostPeerError,
    ResumeError,
)
from geomface.learning.grid import image_grid, to_pictures
from geomface.learning.holdout import held_out, is_held_out
from geomface.learning.loop import LoopSettings, Task, TrainingResult, train
from geomface.learning.masking import (
    MaskedDiscriminator,
    fade_with_mask,
    halve_with_mask,
    hide,
    min_pool,
)
from geomface.learning.metrics_log import MetricsLog, format_metrics, read_metrics
from geomface.learning.penalties import drift_penalty, gradient_penalty, r1_penalty
from geomface.learning.randomness import batch_indices, stream_generator
from geomface.learning.run_directory import (
    Resume,
    RunDirectory,
    newest_checkpoint,
    open_run,
    read_run,
    settings_difference,
)
from geomface.learning.state import TrainingState, load_checkpoint, load_module, save_checkpoint

__all__ = [
    "LOSS_KINDS",
    "AdversarialSettings",
    "CheckpointError",
    "ComputeSettings",
    "DatasetError",
    "DeviceError",
    "DivergenceError",
    "LoopSettings",
    "LossKind",
    "LostPeerError",
    "MaskedDiscriminator",
    "MetricsLog",
    "Resume",
    "ResumeError",
    "RunDirectory",
    "Task",
    "TrainingResult",
    "TrainingState",
    "batch_indices",
    "choose_device",
    "discriminator_loss",
    "drift_penalty",
    "fade_with_mask",
    "format_metrics",
    "generator_loss",
    "gradient_penalty",
    "half_life_decay",
    "halve_with_mask",
    "held_out",
    "hide",
    "image_grid",
    "is_held_out",
    "load_checkpoint",
    "load_module",
    "make_ema",
    "min_pool",
    "newest_checkpoint",
    "next_began_k",
    "open_run",
    "r1_penalty",
    "read_metrics",
    "read_run",
    "save_checkpoint",
    "settings_difference",
    "stream_generator",
    "to_pictures",
    "train",
    "update_ema",
]
