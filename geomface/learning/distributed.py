"""Several GPUs through Lightning Fabric, when it is installed."""

import importlib
import importlib.util
from typing import Any

from geomface.errors import MissingBackendError


def require_fabric() -> None:
    """Refuse to go on without Lightning Fabric.

    Raises
    ------
    MissingBackendError : names the package to install
    """
    if not any(importlib.util.find_spec(name) for name in ("lightning", "lightning_fabric")):
        raise MissingBackendError(
            "devices: more than one needs Lightning Fabric, which is not installed. Run 'pip "
            "install lightning', or use devices 1."
        )


def open_fabric(devices: int) -> Any:
    """Return a launched Fabric over `devices` GPUs of this machine, or the world of torchrun.

    Raises
    ------
    MissingBackendError : Lightning Fabric is not installed
    """
    require_fabric()
    name = "lightning.fabric" if importlib.util.find_spec("lightning") else "lightning_fabric"
    fabric = importlib.import_module(name).Fabric(accelerator="auto", devices=devices)
    fabric.launch()
    return fabric
