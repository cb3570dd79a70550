"""Which visibility backend is used, and why."""

import dataclasses

import torch

from geomface.errors import MissingBackendError, SettingsError
from geomface.rendering.visibility.backend import VisibilityBackend
from geomface.rendering.visibility.numba_backend import NumbaVisibility
from geomface.rendering.visibility.open3d_backend import Open3DVisibility
from geomface.rendering.visibility.pytorch3d_backend import Pytorch3dVisibility
from geomface.rendering.visibility.torch_backend import TorchVisibility

BACKENDS: dict[str, VisibilityBackend] = {
    backend.name: backend
    for backend in (
        NumbaVisibility(),
        TorchVisibility(),
        Open3DVisibility(),
        Pytorch3dVisibility(),
    )
}
"""Every backend by its name, installed or not."""


@dataclasses.dataclass(frozen=True, eq=False)
class BackendChoice:
    """The backend that draws, and the sentence that says why it was chosen.

    Parameters
    ----------
    backend : what draws
    reason : one sentence
    """

    backend: VisibilityBackend
    reason: str

    @property
    def name(self) -> str:
        """Name of the chosen backend."""
        return self.backend.name


def resolve_device(device: str | torch.device) -> torch.device:
    """Return the device of a name: "cpu", "cuda", "cuda:1", or "auto" for CUDA when there is one.

    Raises
    ------
    SettingsError : no such device name.
    MissingBackendError : CUDA was asked for by name and this machine has none.
    """
    if isinstance(device, torch.device):
        device = str(device)
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    kind, _, index = device.partition(":")
    if kind not in ("cpu", "cuda") or (index and not index.isdecimal()):
        raise SettingsError(
            f"device: expected auto, cpu, cuda or cuda:<number>, got {device!r}. Use one of these."
        )
    if kind == "cuda" and int(index or 0) >= torch.cuda.device_count():
        raise MissingBackendError(
            f"device: {device!r} was asked for, but this torch sees {torch.cuda.device_count()} "
            "CUDA devices. Use cpu, or install a CUDA build of torch (https://pytorch.org)."
        )
    return torch.device(device)


def choose_backend(name: str = "auto", device: str | torch.device = "cpu") -> BackendChoice:
    """Return a visibility backend that works on a device.

    "auto" takes numba on the CPU; on CUDA PyTorch3D where it is importable, else torch.

    Parameters
    ----------
    name : "auto", or a key of `BACKENDS`
    device : where the tensors are

    Raises
    ------
    SettingsError : no such backend or device, or a backend that does not work on the device.
    MissingBackendError : a backend asked for by name that is not installed, with what to install.
    """
    device = resolve_device(device)
    if name == "auto":
        return _automatic(device)
    if name not in BACKENDS:
        raise SettingsError(
            f"backend: expected auto, {', '.join(BACKENDS)}, got {name!r}. Use one of these."
        )
    backend = BACKENDS[name]
    missing = backend.missing()
    if missing:
        raise MissingBackendError(
            f"backend: {name} was asked for and is not installed. Install it with {missing}, or "
            "use auto."
        )
    if not backend.supports(device):
        raise SettingsError(f"backend: {name} does not work on {device}. Use torch there, or auto.")
    return BackendChoice(backend, f"{name} draws on {device}: it was asked for by name.")


def _automatic(device: torch.device) -> BackendChoice:
    if device.type == "cpu":
        return BackendChoice(
            BACKENDS["numba"],
            "numba draws on the CPU: the fastest there, and always installed.",
        )
    pytorch3d = BACKENDS["pytorch3d"]
    if pytorch3d.missing() is None:
        return BackendChoice(
            pytorch3d, f"pytorch3d draws on {device}: it is importable and fast on CUDA."
        )
    return BackendChoice(
        BACKENDS["torch"],
        f"torch draws on {device}: numba works on the CPU only and pytorch3d is not installed.",
    )
