"""Where and how networks compute: device, precision, memory layout, compilation."""

import contextlib
import dataclasses
import os
from typing import Literal

import torch

from geomface.errors import MissingBackendError, SettingsError
from geomface.learning.errors import DeviceError
from geomface.ranges import COUNT, require_numbers


@dataclasses.dataclass(frozen=True)
class ComputeSettings:
    """How to compute; none of it changes what is computed, except rounding."""

    device: Literal["auto", "cpu", "cuda"] = "auto"
    """auto takes CUDA where there is one; cuda refuses to go on without."""
    precision: Literal["float32", "bfloat16"] = "float32"
    """bfloat16 runs the networks in mixed precision, on CUDA or on a CPU that multiplies it (AMX or
    AVX512_BF16); weights stay float32."""
    channels_last: bool = True
    """Store images with the channels innermost, which convolutions prefer."""
    compile: bool = False
    """Compile the networks with torch.compile; takes a minute at first, then pays on a GPU."""
    devices: int = 1
    """Devices in all, one process each (see `learning.distributed`)."""

    def __post_init__(self) -> None:
        require_numbers(self, devices=COUNT)


def choose_device(name: str) -> torch.device:
    """Return the torch device for "auto", "cpu" or "cuda".

    Raises
    ------
    DeviceError : CUDA was asked for and there is none
    SettingsError : an unknown name
    """
    if name not in ("auto", "cpu", "cuda"):
        raise SettingsError(f"device: expected auto, cpu or cuda, got {name!r}.")
    present = torch.cuda.is_available()
    if name == "cuda" and not present:
        why = "this torch is a CPU build" if torch.version.cuda is None else "torch sees no GPU"
        raise DeviceError(
            f"device: expected a CUDA device, got none ({why}). Use auto or cpu, or install a "
            "torch built for CUDA."
        )
    return torch.device("cuda" if present and name != "cpu" else "cpu")


def check_compute(settings: ComputeSettings) -> torch.device:
    """Return the device, or refuse what this machine cannot do.

    Raises
    ------
    DeviceError, SettingsError : each says what was expected
    """
    device = choose_device(settings.device)
    if settings.precision == "bfloat16" and device.type == "cpu" and not multiplies_bfloat16():
        raise SettingsError(
            "precision: bfloat16 needs a CUDA device or a CPU with AMX or AVX512_BF16, got a CPU "
            "without, where it would be slower. Use precision float32."
        )
    if settings.devices < 1:
        raise SettingsError(f"devices: expected 1 or more, got {settings.devices}.")
    if settings.devices == 1 or device.type != "cuda":
        return device
    place, present = int(os.environ.get("LOCAL_RANK", "0")), torch.cuda.device_count()
    wanted = int(os.environ.get("LOCAL_WORLD_SIZE", settings.devices))
    if wanted > present:
        raise DeviceError(
            f"devices: expected {wanted} GPUs on this machine, torch sees {present}. Use --devices "
            f"{present}."
        )
    return torch.device("cuda", place)


def multiplies_bfloat16() -> bool:
    """Say whether this CPU multiplies bfloat16 itself, and faster than float32."""
    read = getattr(torch.cpu, "get_capabilities", dict)  # absent from older torch
    known = read()
    return bool(known.get("amx_bf16") or known.get("avx512_bf16"))


def place_network(
    network: torch.nn.Module, device: torch.device, settings: ComputeSettings
) -> torch.nn.Module:
    """Move a network to its device and layout, and compile it when asked; returns it.

    The names of its weights do not change, so a checkpoint fits with and without compilation.
    """
    if settings.channels_last:
        network.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    else:
        network.to(device)
    if settings.compile:
        try:
            network.compile()
        except RuntimeError as error:
            raise MissingBackendError(
                f"compile: torch.compile does not work here ({error}). Leave the option out."
            ) from error
    return network


def place_images(
    images: torch.Tensor, device: torch.device, settings: ComputeSettings
) -> torch.Tensor:
    """Move an image batch (N, C, H, W) to its device and layout."""
    layout = torch.channels_last if settings.channels_last else torch.contiguous_format
    return images.to(device, non_blocking=True).contiguous(memory_format=layout)


def autocast(
    device: torch.device, settings: ComputeSettings
) -> contextlib.AbstractContextManager[None]:
    """Return the context in which networks run in the chosen precision."""
    if settings.precision == "bfloat16":
        return torch.autocast(device.type, torch.bfloat16)  # type: ignore[return-value]
    return contextlib.nullcontext()
