"""The record that a command leaves: seconds, resolved settings, versions, notes, figures."""

import platform
from collections.abc import Sequence
from typing import Any

import geomface

PACKAGES = (
    "numpy",
    "scipy",
    "libigl",
    "torch",
    "numba",
    "h5py",
    "safetensors",
    "matplotlib",
    "pillow",
    "tyro",
    "rich",
)
"""Packages that geomface needs, whose versions every record carries."""


def build_record(
    title: str, options: Any, seconds: float, notes: Sequence[str] = ()
) -> dict[str, Any]:
    """Return the part of a record that all commands share, ready for JSON."""
    from geomface.files.records import plain

    return {
        "command": title,
        "seconds": round(seconds, 4),
        "settings": plain(options),
        "versions": package_versions(),
        "notes": list(notes),
    }


def package_versions() -> dict[str, str]:
    """Versions of geomface, Python and the needed packages, without importing them."""
    versions = {"geomface": geomface.__version__, "python": platform.python_version()}
    for package in PACKAGES:
        versions[package] = installed_version(package) or "missing"
    return versions


def installed_version(package: str) -> str | None:
    """Version of an installed distribution, or None."""
    import importlib.metadata  # takes longer than parsing the options

    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
