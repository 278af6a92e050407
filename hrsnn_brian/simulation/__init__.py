"""Simulation: the only part of the package that knows Brian."""

from hrsnn_brian.simulation.drive import Drive, LinearReadout, Recording
from hrsnn_brian.simulation.engine import Engine
from hrsnn_brian.simulation.scene import network_scene, network_shape
from hrsnn_brian.simulation.simulate import simulate

__all__ = [
    "Drive",
    "Engine",
    "LinearReadout",
    "Recording",
    "network_scene",
    "network_shape",
    "simulate",
]
