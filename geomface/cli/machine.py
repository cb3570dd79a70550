"""What this machine offers, read without special packages."""

import importlib.util
import os
import platform
import shutil
import tempfile
from pathlib import Path
from typing import Any

from geomface.cli.record import installed_version

EXTRAS = {
    "open3d": ("open3d", 'pip install "geomface[open3d]" (needs libusb-1.0 and libGL)'),
    "meshmonk": ("meshmonk", 'pip install "geomface[bench]"'),
    "pytorch3d": (
        "pytorch3d",
        "no wheel for this Python: https://github.com/facebookresearch/pytorch3d "
        "says how to build it",
    ),
    "pytest": ("pytest", 'pip install "geomface[test]"'),
}
"""{module: (distribution, how to install it)}; nothing here is required."""


def usable_cores() -> float:
    """CPU cores that this process may use, with the limit of a container."""
    cores = float(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0)
    cores = cores or float(os.cpu_count() or 1)
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        if quota != "max":
            cores = min(cores, int(quota) / int(period))
    except (OSError, ValueError):
        pass  # not a container of that kind: the affinity holds
    return round(cores, 2)


def memory_gib() -> dict[str, float | None]:
    """Total and available memory in GiB, None where the system does not say."""
    total = available = None
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        sizes = {line.split(":")[0]: int(line.split()[1]) for line in lines if ":" in line}
        total, available = sizes["MemTotal"] / 2**20, sizes["MemAvailable"] / 2**20
        limit = Path("/sys/fs/cgroup/memory.max").read_text().strip()
        if limit != "max":
            total = min(total, int(limit) / 2**30)
            available = min(available, total)
    except (OSError, ValueError, KeyError, IndexError):
        if total is None and hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
            total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    return {
        "total": None if total is None else round(total, 1),
        "available": None if available is None else round(available, 1),
    }


def system() -> dict[str, Any]:
    """Name of the operating system, processor, Python, and the free disk space here."""
    return {
        "system": platform.platform(),
        "processor": platform.machine(),
        "python": platform.python_implementation() + " " + platform.python_version(),
        "free_disk_gib": round(shutil.disk_usage(Path.cwd()).free / 2**30, 1),
    }


def cuda() -> dict[str, Any]:
    """What torch sees: build, devices and their memory, or why there is none."""
    try:
        import torch
    except ImportError as error:  # also a torch whose libraries do not load
        return {"available": False, "devices": [], "reason": f"torch cannot be imported: {error}"}
    if torch.cuda.is_available():
        devices = [
            {
                "name": torch.cuda.get_device_name(index),
                "memory_gib": round(
                    torch.cuda.get_device_properties(index).total_memory / 2**30, 1
                ),
            }
            for index in range(torch.cuda.device_count())
        ]
        return {"available": True, "cuda": torch.version.cuda, "devices": devices, "reason": ""}
    built = torch.version.cuda
    reason = "torch is a CPU build" if built is None else f"torch is built for CUDA {built}, no GPU"
    return {"available": False, "cuda": built, "devices": [], "reason": reason}


def extras() -> dict[str, dict[str, Any]]:
    """Which optional packages are there, and how to get the others."""
    found = {}
    for module, (distribution, way) in EXTRAS.items():
        present = importlib.util.find_spec(module) is not None
        version = installed_version(distribution) if present else None
        found[module] = {"present": present, "version": version, "install": way}
    return found


def cache_folder() -> dict[str, Any]:
    """Where compiled kernels are kept between runs, and whether that can be written."""
    import geomface

    named = os.environ.get("NUMBA_CACHE_DIR")
    package = Path(geomface.__file__).parent
    places = [Path(named)] if named else [package, Path.home() / ".cache"]
    for place in places:
        try:
            place.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=place):
                return {"path": str(place), "writable": True}
        except OSError:
            continue
    return {"path": str(places[-1]), "writable": False}


def font() -> dict[str, Any]:
    """Whether labels can be drawn on pictures."""
    try:
        from PIL import ImageFont

        found = ImageFont.load_default(15)
    except (ImportError, OSError) as error:
        return {"available": False, "name": f"none ({error})"}
    if isinstance(found, ImageFont.FreeTypeFont):
        return {"available": True, "name": " ".join(part for part in found.getname() if part)}
    return {"available": False, "name": "bitmap only: pillow was built without FreeType"}
