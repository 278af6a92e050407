"""A readout of states and of products of their leading components; asked for by name."""

from dataclasses import replace

from hrsnn_brian.readout.products import BLOCK, COMPONENTS, principal_products
from hrsnn_brian.simulation.drive import FloatArray
from hrsnn_brian.tasks.closed_loop import squared
from hrsnn_brian.tasks.task import Fitted, RunTask

# With it a network without recurrence does about as well (three seeds of the default, N = 500: MG84
# .050 against .047, VPT on Lorenz x 2.4 against 2.3): no benefit of recurrence can be shown by it.
QUADRATIC = "spikes+products"


def fit_products(task: RunTask, blocks: dict[str, FloatArray]) -> Fitted:
    """The readout of blocks of states and of products of components, which training rows give."""
    rows = task.fit({}).rows
    products = principal_products({name: states[rows] for name, states in blocks.items()})
    fitted = replace(task.fit({**blocks, BLOCK: products.features(blocks)}), products=products)
    loop = fitted.closed_loop
    if loop is None:
        return fitted
    return replace(fitted, closed_loop=replace(loop, readout=squared(loop.readout, products)))


def product_ops(n_traces: int, n_neurons: int, n_outputs: int) -> int:
    """Operations of the products in one sample, whatever the spikes."""
    return COMPONENTS * n_outputs * (n_traces * n_neurons + 1)
