"""Training on inputs: the one way from a network and what it is shown to a trained network."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hrsnn_brian.dynamics.cost import warn_of_activity
from hrsnn_brian.errors import InputError, unknown_name
from hrsnn_brian.network.network import FloatArray, Network
from hrsnn_brian.pruning.rate_match import match_rate
from hrsnn_brian.settings.reader import Settings, read
from hrsnn_brian.simulation import Drive, Engine, Plasticity, simulate, simulate_plastic
from hrsnn_brian.training.stdp import Stdp, with_data

MODES: dict[str, type[Stdp]] = {"stdp": Stdp}
OnRun = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class Trained:
    """What training left: the network, whose history holds `note`, and its weights' course.

    note: mode, settings, seed, what was shown, statistics before and after (rates in Hz, on the
    training input), the shares of the synapses that learn that ended at either bound.
    """

    network: Network
    note: dict[str, Any]


def mode_settings(mode: str, settings: Settings | Stdp = ()) -> Stdp:
    """The settings of a mode, from texts as `--set` takes them, a table, or themselves.

    Raises InputError for an unknown mode or key, or a value that does not fit.
    """
    if mode not in MODES:
        raise unknown_name("mode", str(mode), MODES)
    return settings if isinstance(settings, Stdp) else read(MODES[mode], {}, settings, see=mode)


def train_on(
    network: Network,
    inputs: Sequence[FloatArray | Drive],
    settings: Stdp | None = None,
    *,
    engine: Engine,
    seed: int = 0,
    name: str = "",
    on_run: OnRun = lambda done, total: None,
) -> Trained:
    """The network after STDP on its input alone.

    inputs: runs, as (K, D) z-scored samples or as drives, shown in order, each from the initial
    state; weights go on from run to run, all `settings.repeats` times. seed: of the constants of
    the synapses, the initial state and the encoder's noise. name: of what is shown, for the
    history. on_run: called with runs done and in all, at first with 0.

    Raises InputError for inputs that are none and a network without synapses that learn. Warns
    (`ActivityWarning`) of a network that is silent or saturated after training.
    """
    how = settings or Stdp()
    runs = _checked(inputs)
    plasticity = how.draw(network, seed)
    before = _activity(engine, network, runs, seed)
    total, w = how.repeats * len(runs), network.W.data
    on_run(0, total)
    for done, run in enumerate(_shown(runs, how.repeats), 1):
        drive = replace(run, seed=seed)
        w, _ = simulate_plastic(engine, network, drive, plasticity, w)
        on_run(done, total)
    trained, offset = network.with_weights(with_data(network, w)), 0.0
    if how.rates == "matched":
        found = match_rate(
            trained, before.rate_hz, lambda n: _activity(engine, n, runs, seed).rate_hz
        )
        trained, offset = replace(found.network, history=network.history), found.value
    after = _activity(engine, trained, runs, seed)
    warn_of_activity(after.spike_count, after.seconds, network.params.ceiling_hz)
    note = {
        "operation": "train",
        "mode": "stdp",
        "input": name,
        "seed": seed,
        "samples": sum(len(run.stimulus) for run in runs),
        "bias_offset": offset,
        "settings": how.to_dict(),
        "before": {"rate_hz": before.rate_hz, **weight_statistics(network)},
        "after": {"rate_hz": after.rate_hz, **weight_statistics(trained)},
        **_course(how.learns(network), np.abs(network.W.data), np.abs(w), plasticity),
    }
    return Trained(trained.with_weights(trained.W, **note), note)


def weight_statistics(network: Network) -> dict[str, float | None]:
    """Mean and sd of the excitatory and of the inhibitory weights; None where there are none."""
    w, found = network.W.data, {}
    for name, part in (("e", w[w > 0]), ("i", w[w < 0])):
        found[f"weight_{name}_mean"] = float(part.mean()) if part.size else None
        found[f"weight_{name}_sd"] = float(part.std()) if part.size else None
    return found


def _course(
    learns: NDArray[np.bool_], first: FloatArray, last: FloatArray, bounds: Plasticity
) -> dict[str, Any]:
    """What became of the synapses that learn, of sizes first -> last."""
    ratio = last[learns] / first[learns]
    return {
        "trained_synapses": int(learns.sum()),
        "lost_synapses": int(np.sum(last == 0)),
        "change_mean": float(ratio.mean() - 1),
        "change_sd": float(ratio.std()),
        "at_low": float(np.mean((last == bounds.w_min)[learns])),
        "at_high": float(np.mean((last == bounds.w_max)[learns])),
    }


def _shown(runs: Sequence[Drive], times: int) -> Iterator[Drive]:
    for again in repeat(runs, times):
        yield from again


def _checked(inputs: Sequence[FloatArray | Drive]) -> list[Drive]:
    """The runs as drives. Raises InputError for what are none, or runs of different columns."""
    given = [inputs] if isinstance(inputs, np.ndarray) and inputs.ndim == 2 else list(inputs)
    runs = [run if isinstance(run, Drive) else Drive(run) for run in given]
    if not runs:
        raise InputError("inputs", "none", "give at least one run (samples, columns)")
    columns = {run.stimulus.shape[1] for run in runs}
    if len(columns) > 1:
        raise InputError("inputs", sorted(columns), "all runs must have the same columns")
    return runs


@dataclass(frozen=True, eq=False)
class _Activity:
    spike_count: NDArray[np.int64]
    seconds: float

    @property
    def rate_hz(self) -> float:
        return float(self.spike_count.mean() / self.seconds)


def _activity(engine: Engine, network: Network, runs: Sequence[Drive], seed: int) -> _Activity:
    """Spikes of every neuron over all runs, the weights held."""
    counts, seconds = np.zeros(network.n_neurons, dtype=np.int64), 0.0
    for run in runs:
        recording = simulate(engine, network, replace(run, seed=seed, record_states=False))
        counts, seconds = counts + recording.spike_count, seconds + recording.seconds
    return _Activity(counts, seconds)
