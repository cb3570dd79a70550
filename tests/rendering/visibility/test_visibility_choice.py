"""Which backend draws, and what is said when the one asked for cannot."""

import importlib.util
import subprocess
import sys

import pytest
import torch

from geomface.errors import MissingBackendError, SettingsError
from geomface.rendering.visibility import BACKENDS, VisibilityBackend, choose_backend
from geomface.rendering.visibility.choose import resolve_device


def test_auto_takes_numba_on_the_cpu_and_says_why(monkeypatch):
    choice = choose_backend("auto", "cpu")
    assert choice.name == "numba"
    assert "CPU" in choice.reason
    assert choice.reason.endswith(".")
    # Also where pytorch3d is installed: on a CPU it is thousands of times slower.
    monkeypatch.setattr(type(BACKENDS["pytorch3d"]), "missing", lambda self: None)
    assert choose_backend("auto", "cpu").name == "numba"


def test_auto_on_cuda_takes_pytorch3d_where_it_is_importable(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(type(BACKENDS["pytorch3d"]), "missing", lambda self: "a build")
    without = choose_backend("auto", "cuda")
    assert without.name == "torch"
    assert "pytorch3d" in without.reason
    monkeypatch.setattr(type(BACKENDS["pytorch3d"]), "missing", lambda self: None)
    assert choose_backend("auto", "cuda:0").name == "pytorch3d"


@pytest.mark.parametrize("name", ["open3d", "pytorch3d"])
def test_a_named_backend_that_is_missing_says_what_to_install(name, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda module: None)
    with pytest.raises(MissingBackendError, match=f"{name}.*[Ii]nstall"):
        choose_backend(name)


@pytest.mark.parametrize("name", ["open3d", "pytorch3d"])
def test_a_broken_installation_says_so(name, monkeypatch):
    for module in [item for item in sys.modules if item.split(".")[0] == name]:
        monkeypatch.delitem(sys.modules, module)  # also where it is installed and loaded
    monkeypatch.setitem(sys.modules, name, None)
    xyz = torch.ones(1, 3, 3)
    with pytest.raises(MissingBackendError, match="could not be loaded"):
        BACKENDS[name].face_ids(xyz, torch.tensor([[0, 1, 2]]), 4, 4)


def test_unknown_names_are_refused_with_the_known_ones():
    with pytest.raises(SettingsError, match=r"numba.*'opengl'"):
        choose_backend("opengl")
    with pytest.raises(SettingsError, match=r"cuda:<number>.*'gpu'"):
        choose_backend("auto", "gpu")
    with pytest.raises(SettingsError, match="cuda:x"):
        resolve_device("cuda:x")


def test_a_device_that_is_not_there_is_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    with pytest.raises(MissingBackendError, match="sees 0"):
        resolve_device("cuda")
    assert resolve_device("cpu") == torch.device("cpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert resolve_device("auto") == torch.device("cpu")


def test_a_backend_that_does_not_work_on_the_device_is_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(SettingsError, match="numba does not work on cuda"):
        choose_backend("numba", "cuda")


@pytest.mark.parametrize("name", list(BACKENDS))
def test_every_backend_keeps_the_protocol(name):
    assert isinstance(BACKENDS[name], VisibilityBackend)
    assert BACKENDS[name].name == name


def test_pictures_do_not_need_torch():
    """The studio pictures import quickly: torch is loaded with the parts that need it."""
    code = "import sys, geomface.rendering; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
