"""Lyapunov Noise Pruning (Chakraborty et al. 2024), the algorithm on one page.

A randomly initialised network is made sparse before any training and without a task. Every
iteration measures it under white noise and takes four steps; `prune` repeats them until the budget
of neurons and synapses is met, or stops when the stability condition fails (`Stability`).

Linearised around its driven state the network is x' = A x, A = -D + gain D W, D = diag(1/tau_m)
[review: -D + L; W for L is our choice]. C is the covariance of its filtered rates, l_i the
finite-time exponent of a perturbation of neuron i alone.

What the steps of `lnp echo`, the variant that works, have of the paper and what is ours:

1. Synapses. Paper: random removal, the chance to stay from Lyapunov exponents and the noise-driven
   covariance. Kept: the covariance, as |w| (C_ii + C_jj). Ours: its largest values stay, within
   each neuron, for the spikes they cost (q / r_j^price); no exponents, which added nothing; the
   variance of every neuron's input is restored in the place of w/p.
2. Neurons. Paper: those of lowest betweenness leave. Ours: those of lowest rate under noise.
3. Delocalisation. Paper: edges that keep eigenvectors spread, by raising the heterogeneity of
   degrees. Ours: how they are found, as in `lnp`; the least important synapses make room for them.
4. Perturbed trajectories. Paper: they set the time constants, so that exponents are near 0. Ours:
   the mean time constant stays, so that a slow leak meets no objective (`TuneTimescales`), and what
   is restored is the echo of a perturbed input, as it is in the unpruned network; once, in the
   last iteration, and last of all by the gain (variances of a next iteration would undo it).
   Stability is judged by exponents, as in the paper, under common noise, too, and by the echo.
   Without the search of time constants it is `lnp echo gain`.
"""

from hrsnn_brian.pruning.echo_gain import ECHO
from hrsnn_brian.pruning.keep_neurons import KeepNeurons
from hrsnn_brian.pruning.keep_synapses import KeepSynapses
from hrsnn_brian.pruning.rate_steps import MatchRate
from hrsnn_brian.pruning.recipe import COHERENT, Recipe, Stability
from hrsnn_brian.pruning.spread_modes import SpreadModes
from hrsnn_brian.pruning.tune_timescales import TuneTimescales

LNP = Recipe(
    name="lnp",
    description="Lyapunov Noise Pruning: synapses, neurons, delocalisation and timescales in turn",
    source="Chakraborty et al. 2024; iteration schedule and row 0.5 are our choice",
    cost="per iteration N perturbed copies (see exponent_every), one covariance, N x synapses for "
    "betweenness (see pivots)",
    family="lnp",
    rounds=20,
    steps=(
        # 1. Keep synapse ij with p_ij = min(1, K a_ij (C_ii + C_jj - 2 sgn(w_ij) C_ij)), K such
        #    that sum p is the number wanted; a_ij = exp(l_ij T), where exp(-l_ij T) is the mean of
        #    exp(-l_i T) and exp(-l_j T): the harmonic mean of growth factors. Restore half of
        #    each neuron's summed input (the paper's w_ij / p_ij is the recipe "lnp literal").
        KeepSynapses(score="exponent", factor="difference", compensation="row 0.5"),
        # 2. Remove the neurons on the fewest shortest paths, an edge being 1/a_ij long.
        KeepNeurons(rule="betweenness", graph="exponent", distance="inverse"),
        # 3. Add edges where degrees are least heterogeneous, each kept only if it raises the mean
        #    participation ratio 1/sum |x_i|^4 of the leading eigenvectors of A.
        SpreadModes(rule="gradient"),
        # 4. Draw tau_m from the gamma distributions that bring lambda_1 closest to 0, found by
        #    Bayesian optimisation.
        TuneTimescales(rule="bayesian", objective="spectrum", lambda_target=0.0),
        MatchRate(rule="off"),  # [our choice] an option, for comparisons at equal rate
    ),
    stability=Stability(),
)

# The paper's fragments, as near as they allow: w/p alone and uncapped, the harmonic mean over the
# neighbours of both end nodes, A = -D + L, and all neurons compete.
TO_THE_LETTER = {
    "compensation": "literal inf",
    "neighbourhood": "union",
    "matrix": "exponents",
    "proportional": "off",
}
LITERAL = LNP.changed(
    name="lnp literal",
    description="lnp with weights w/p and nothing else to compensate, edge exponents over the "
    "neighbours of both ends, A = -D + L",
    source="Chakraborty et al. 2024, as near as its fragments go",
    **TO_THE_LETTER,
)
CAPPED = LITERAL.changed(
    name="lnp capped",
    description="lnp literal with 1/p capped at its median",
    source="Chakraborty et al. 2024; the cap is from an independent study of rate networks",
    compensation="capped",
)

# What the development seeds showed to work, of the same steps [our choice]: |w| in the place of
# exponents, the best kept instead of drawn, and no timescale search.
REVISED = LNP.changed(
    name="lnp revised",
    description="synapses of largest |w| (C_ii + C_jj), variances restored, betweenness on the "
    "graph of |w|, delocalisation; no exponents, no timescale search",
    source="our choice",
    cost="per iteration one covariance and the betweenness",
    score="magnitude",
    factor="sum",
    selection="top",
    compensation="variance",
    graph="magnitude",
    distance="class",
    timescales="off",
)

# The four steps with what works [our choice but for the order and kind of the steps].
ECHOED = REVISED.changed(
    name="lnp echo",
    description="LNP with what works: synapses by noise covariance per spike they cost, neurons of "
    "lowest rate under noise leave, delocalisation, and from perturbed trajectories the time "
    "constants, their mean kept, and at last the gain, that restore the input echo",
    source="steps: Chakraborty et al. 2024; their ingredients are our choice",
    cost="per iteration one covariance, one run for the rates, a few eigenproblems; up to 5 input "
    "echoes at the end, each after some ten runs for the rates",
    rounds=8,
    power=0.5,
    price=0.4,  # 0.35 takes as many operations as activity pruning, 0.6 half of it and scores worse
    within="neuron",
    neurons="activity",
    # one search of time constants, in the last iteration, before the gain: on four development
    # seeds it was worth .37 Lyapunov times on Lorenz (4 of 4), nothing on Mackey-Glass
    timescales="bayesian",
    objective=ECHO,
    mean="fixed",
    grouping="class",
    timescale_every=8,
    gain=ECHO,
    lambda_common_max=COHERENT.lambda_common_max,
    echo_max=COHERENT.echo_max,
)

ECHO_GAIN = ECHOED.changed(
    name="lnp echo gain",
    description="lnp echo with time constants as they were drawn: only the gain restores the echo",
    timescales="off",
)
