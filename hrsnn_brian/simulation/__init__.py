"""Simulation: the only part of the package that knows Brian.

The model's text   equations, what a program is compiled for (shape), propagators; description
                   assembles them for one network; model and copies make Brian's objects of them
The program        generate and main_code write C++ around scene, copies, perturbation and batch
                   (.cpp); toolchain and child compile and run it, cache and program keep it;
                   runtime and copies_runtime do without, on Brian's own targets (own_brian)
A run              drive and noise say what goes in, scene and copies_scene turn it into arrays,
                   engine runs them; simulate: one network, or perturbed copies (perturbation);
                   batch: many inputs at once; plasticity: synapses that learn in the run
"""

from hrsnn_brian.simulation.batch import Presentation, TrialStates, simulate_batch
from hrsnn_brian.simulation.drive import Drive, LinearReadout, Recorded, Recording, States
from hrsnn_brian.simulation.engine import Engine
from hrsnn_brian.simulation.noise import coloured_drive, common_drive, noise_drive
from hrsnn_brian.simulation.perturbation import Divergence, Perturbation
from hrsnn_brian.simulation.plasticity import Plasticity, simulate_plastic
from hrsnn_brian.simulation.scene import network_scene, network_shape
from hrsnn_brian.simulation.simulate import simulate, simulate_perturbed

__all__ = [
    "Divergence",
    "Drive",
    "Engine",
    "LinearReadout",
    "Perturbation",
    "Plasticity",
    "Presentation",
    "Recorded",
    "Recording",
    "States",
    "TrialStates",
    "coloured_drive",
    "common_drive",
    "network_scene",
    "network_shape",
    "noise_drive",
    "simulate",
    "simulate_batch",
    "simulate_perturbed",
    "simulate_plastic",
]
