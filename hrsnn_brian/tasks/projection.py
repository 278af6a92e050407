"""A task's own way of its inputs into a network: currents linear in a few columns.

Inputs with many columns that are seldom far from their mean, such as the responses to a dictionary,
are lost on receptive fields: a dense direction sums them to nearly the same number for every image,
and few of the fields' centres are ever visited. Here neuron i gets

    I_i = gain (sum over the columns c it sees of s_ic u_c / sqrt(k) + offset),   s_ic = +-1,

beside its bias, and rectifies it itself by firing or not. [our choice] Which k columns it sees, and
their signs, are drawn for the neurons of the unpruned network (stream "input"): pruning moves none,
and the network's file stays as it is.
"""

# ruff: noqa: RUF009 - the calls in class bodies make descriptors, not shared default values

from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np
from scipy import sparse

from hrsnn_brian.network.network import Network
from hrsnn_brian.seeds import rng
from hrsnn_brian.settings.fields import OneOf, Real, Whole
from hrsnn_brian.settings.section import Section
from hrsnn_brian.simulation.drive import FloatArray
from hrsnn_brian.tasks.task import Projection

ENCODER, COLUMNS = "encoder", "columns"


@dataclass(frozen=True)
class InputSettings(Section):
    """How inputs of many columns reach the neurons."""

    section = "input"
    way: OneOf = OneOf(
        ENCODER,
        {
            ENCODER: "as the encoder of the network has it",
            COLUMNS: "each neuron gets the sum of a few columns, with random signs",
        },
    ).about("what becomes of an input")
    seen: Whole = Whole(16, 1).about("columns that a neuron sees, at most")
    offset: Real = Real(1.0).about("added to what a neuron sees", "sd of the input")


def currents_of(settings: InputSettings) -> Projection | None:
    """What makes currents of trials, see `TrialsTask.currents`; None where the encoder does."""
    return partial(projected, settings) if settings.way == COLUMNS else None


def few_columns(network: Network, columns: int, seen: int) -> sparse.csr_array:
    """What each neuron sees, (N, columns): `seen` entries a row, all columns if there are fewer.

    Rows have Euclidean norm 1.
    """
    return _drawn(network.seed, network.n_original, columns, seen)[network.neuron_id]


@lru_cache(maxsize=1)  # asked for with every chunk of trials
def _drawn(seed: int, neurons: int, columns: int, seen: int) -> sparse.csr_array:
    """The same for all neurons of the unpruned network; not to be written to."""
    random, seen = rng(seed, "input", "few columns", columns, seen), min(seen, columns)
    at = random.random((neurons, columns)).argpartition(seen - 1)[:, :seen]
    signs = random.choice([-1.0, 1.0], at.shape) / np.sqrt(seen)
    ends = np.arange(0, at.size + 1, seen)
    return sparse.csr_array((signs.ravel(), at.ravel(), ends), (neurons, columns))


def projected(settings: InputSettings, network: Network, trials: FloatArray) -> FloatArray:
    """Currents (R, K, N) that trials (R, K, D) become, see above; gain: that of the encoder."""
    shown, samples, columns = trials.shape
    weights = few_columns(network, columns, settings.seen)
    sums = (weights @ trials.reshape(-1, columns).T).T
    return network.params.encoder.gain * (sums.reshape(shown, samples, -1) + settings.offset)
