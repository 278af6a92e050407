"""Simulation: the only part of the package that knows Brian."""

from hrsnn_brian.simulation.batch import Presentation, TrialStates, simulate_batch
from hrsnn_brian.simulation.drive import Drive, LinearReadout, Recording
from hrsnn_brian.simulation.engine import Engine
from hrsnn_brian.simulation.noise import coloured_drive, noise_drive
from hrsnn_brian.simulation.perturbation import Divergence, Perturbation
from hrsnn_brian.simulation.scene import network_scene, network_shape
from hrsnn_brian.simulation.simulate import simulate, simulate_perturbed

__all__ = [
    "Divergence",
    "Drive",
    "Engine",
    "LinearReadout",
    "Perturbation",
    "Presentation",
    "Recording",
    "TrialStates",
    "coloured_drive",
    "network_scene",
    "network_shape",
    "noise_drive",
    "simulate",
    "simulate_batch",
    "simulate_perturbed",
]
