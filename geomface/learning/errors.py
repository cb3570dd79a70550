"""Errors of training: data, devices, checkpoints, resuming, divergence."""

from geomface.errors import GeomfaceError


class DatasetError(GeomfaceError):
    """A training set is empty, mixed, out of range, or hidden by its masks."""


class LostPeerError(GeomfaceError):
    """Another process of the training ended; that one tells why."""


class DeviceError(GeomfaceError):
    """A device was asked for that this machine does not have."""


class CheckpointError(GeomfaceError):
    """A checkpoint does not fit the networks that it is read into."""


class ResumeError(GeomfaceError):
    """A run cannot be resumed as asked; the message names the settings that differ."""


class DivergenceError(GeomfaceError):
    """Training produced NaN or infinity; the last good checkpoint is untouched."""
