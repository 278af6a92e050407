"""How unequal the degrees around each neuron are, and how one more synapse would change that."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Floats = NDArray[np.float64]


def degree_heterogeneity(W: Any) -> Floats:
    """H_i = <d^2> / <d>^2 of the total degrees d in the neighbourhood of each neuron, (N,).

    The neighbourhood is the neuron and all it has a synapse with, either way; H = 1 if all their
    degrees are equal (or the neuron is alone), more the more they differ.
    """
    degree, around = _degrees(W)
    size = around.sum(axis=1)
    first, second = around @ degree, around @ degree**2
    return np.divide(size * second, first**2, out=np.ones(len(size)), where=first > 0)


def _degrees(W: Any) -> tuple[Floats, sparse.csr_array]:
    """Total degrees (N,) and the 0/1 matrix of neighbourhoods, each neuron in its own."""
    graph = sparse.csr_array((np.ones(W.nnz), W.indices, W.indptr), shape=W.shape)
    degree = graph.sum(axis=0) + graph.sum(axis=1)
    around = sparse.csr_array(graph + graph.T + sparse.diags_array(np.ones(W.shape[0])))
    around.data[:] = 1.0
    return degree, around


def heterogeneity_with(W: Any, site: int) -> Floats:
    """H of the site's neighbourhood if a synapse joined it with each other neuron, (N,)."""
    degree, around = _degrees(W)
    member = np.zeros(W.shape[0], dtype=bool)
    member[around.indices[around.indptr[site] : around.indptr[site + 1]]] = True
    inside = degree[member]
    size = member.sum() + ~member
    first = inside.sum() + 1 + np.where(member, 1, degree + 1)
    second = np.sum(inside**2) + 2 * degree[site] + 1
    second = second + np.where(member, 2 * degree + 1, (degree + 1) ** 2)
    return np.asarray(size * second / first**2, dtype=float)
