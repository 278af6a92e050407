"""What a user's own LIF group and synapses are, read from their equations.

Units are SI. A potential v of neuron i becomes u = (v - V_i)/V0, V_i its reset potential (threshold
less what a spike subtracts) and V0 the mean distance from there to the threshold. [our choice]
"""

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import brian2 as b2
import numpy as np
import sympy
from brian2.parsing.sympytools import str_to_sympy

from hrsnn_brian.errors import InputError
from hrsnn_brian.simulation.drive import FloatArray

Namespace = Mapping[str, Any]
_THRESHOLD = re.compile(r"^\s*(\w+)\s*>=?\s*((?:(?!\band\b|\bor\b)[^<>=&|])+)$")
_UPDATE = re.compile(r"^\s*(\w+)\s*(\+=|-=|=)\s*(.+)$")


@dataclass(frozen=True)
class Current:
    """A synaptic current of the group. tau: (N,) s; effect: (N,) what of it drives u."""

    name: str
    tau: FloatArray
    effect: FloatArray


@dataclass(frozen=True)
class OwnNeurons:
    """A LIF group: arrays (N,) of tau_m (s), v_th, bias in units of V0; t_ref and dt in s.

    currents: by name those that decay exponentially and drive v. left_out: terms of dv/dt that
    depend on time or are noise.
    """

    tau_m: FloatArray
    v_th: FloatArray
    bias: FloatArray
    subtractive: bool
    t_ref: float
    dt: float
    currents: dict[str, Current]
    left_out: tuple[str, ...]


@dataclass(frozen=True)
class OwnSynapses:
    """A Synapses object within the group.

    pre, post: (S,) its ends. A spike adds sign times the value of the expression to the current,
    after the delay (s).
    """

    pre: Any
    post: Any
    current: Current
    sign: int
    expression: str
    delay: float
    source: Any = field(repr=False)

    def weights(self, namespace: Namespace) -> FloatArray:
        """(S,) jumps of u's drive per spike, signed."""
        values = _value(self.source, str_to_sympy(self.expression), namespace)
        return np.broadcast_to(values, self.pre.shape) * self.effect_on(self.post)

    def effect_on(self, post: Any) -> FloatArray:
        """What of the expression drives u of neurons `post`, in units of V0."""
        return self.sign * self.current.effect[post]


def read_neurons(group: b2.NeuronGroup, namespace: Namespace) -> OwnNeurons:
    """The LIF group. Raises InputError for what is none, saying which of its parts is not."""
    if not isinstance(group, b2.NeuronGroup):
        raise InputError("group", type(group).__name__, "must be a brian2 NeuronGroup")
    v, threshold = _threshold(group)
    rows = dict(group.user_equations.get_substituted_expressions(group.variables))
    if v not in group.user_equations.diff_eq_names:
        raise _refused(group, "threshold", v, "must be of a variable with a differential equation")
    system = {name: _linear(group, name, rows[name]) for name in group.user_equations.diff_eq_names}
    own, others, rest, left_out = system[v]
    leak = -_filled(group, _value(group, own, namespace))
    if not np.all(leak > 0):
        raise _refused(group, f"d{v}/dt", rows[v].code, "must leak: -v/tau_m with tau_m > 0")
    tau_m = 1 / leak
    limit = _filled(group, _value(group, str_to_sympy(threshold), namespace))
    subtractive, step = _reset(group, v)
    step_value = _filled(group, _value(group, str_to_sympy(step), namespace))
    origin = limit - step_value if subtractive else step_value
    scale = float(np.mean(limit - origin))
    if not np.all(limit > origin):
        raise _refused(group, "reset", step, "must be below the threshold")
    currents = {}
    for name, coefficient in others.items():
        decay, more, constant, _ = system[name]
        tau = -1 / _filled(group, _value(group, decay, namespace))
        if more or constant != 0 or not np.all(tau > 0):
            allowed = "must be an exponentially decaying current, -x/tau"
            raise _refused(group, f"d{name}/dt", rows[name].code, allowed)
        effect = _filled(group, _value(group, coefficient, namespace)) * tau_m / scale
        currents[name] = Current(name, tau, effect)
    constant = _filled(group, _value(group, rest, namespace))
    return OwnNeurons(
        tau_m=tau_m,
        v_th=(limit - origin) / scale,
        bias=(constant * tau_m - origin) / scale,
        subtractive=subtractive,
        t_ref=_refractory(group, v, namespace),
        dt=float(group.clock.dt_),
        currents=currents,
        left_out=left_out,
    )


def read_synapses(synapses: b2.Synapses, group: b2.NeuronGroup, neurons: OwnNeurons) -> OwnSynapses:
    """A Synapses object of the group onto itself. Raises InputError for what the model has not."""
    for end in (synapses.source, synapses.target):
        if getattr(end, "source", end) is not group:
            raise _refused(synapses, "ends", end.name, f"must lie within the group {group.name!r}")
    lines = _statements(synapses.pre.code)
    found = _UPDATE.match(lines[0]) if len(lines) == 1 else None
    name = found[1].removesuffix("_post") if found else ""
    if not found or found[2] == "=" or name not in neurons.currents:
        known = ", ".join(f"{known}_post += w" for known in neurons.currents) or "(none there)"
        allowed = f"on_pre must be one jump of a synaptic current that drives v: {known}"
        raise _refused(synapses, "on_pre", "; ".join(lines), allowed)
    pre, post = (synapses.variables[f"_synaptic_{end}"].get_value() for end in ("pre", "post"))
    delays = np.unique(synapses.pre._delays.get_value())
    if delays.size > 1:
        raise _refused(synapses, "delay", f"{delays.size} values", "must be one for all synapses")
    return OwnSynapses(
        pre=np.array(pre),
        post=np.array(post),
        current=neurons.currents[name],
        sign=1 if found[2] == "+=" else -1,
        expression=found[3],
        delay=float(delays[0]) if delays.size else 0.0,
        source=synapses,
    )


def _refused(item: Any, part: str, value: object, allowed: str) -> InputError:
    return InputError(f"{part} of {item.name!r}", value, allowed)


def _statements(code: str) -> list[str]:
    return [line for line in re.split(r"[;\n]", code) if line.strip()]


def _threshold(group: b2.NeuronGroup) -> tuple[str, str]:
    code = group.events.get("spike")
    found = _THRESHOLD.match(code or "")
    if not found or found[1] not in group.variables:
        raise _refused(group, "threshold", code, "must read 'v > value'")
    return found[1], found[2]


def _reset(group: b2.NeuronGroup, v: str) -> tuple[bool, str]:
    """Whether a spike subtracts, and what it subtracts or sets."""
    code = group.event_codes.get("spike") or ""
    updates = [_UPDATE.match(line) for line in _statements(code)]
    own = [found for found in updates if found and found[1] == v]
    others = [found[1] for found in updates if found and found[1] != v]
    drives = {str(s) for s in str_to_sympy(group.user_equations[v].expr.code).free_symbols}
    if None in updates or len(own) != 1 or own[0][2] == "+=" or drives & set(others):
        allowed = f"must be '{v} = value' or '{v} -= value', beside nothing that drives {v}"
        raise _refused(group, "reset", code, allowed)
    return own[0][2] == "-=", own[0][3]


def _refractory(group: b2.NeuronGroup, v: str, namespace: Namespace) -> float:
    rest = group._refractory
    if rest is False:
        return 0.0
    if "unless refractory" not in group.user_equations[v].flags:
        raise _refused(group, f"d{v}/dt", "no flag", "must be (unless refractory)")
    if isinstance(rest, str):
        rest = _value(group, str_to_sympy(rest), namespace)
    times = np.unique(np.asarray(rest, dtype=float))
    if times.size != 1:
        raise _refused(group, "refractory", f"{times.size} times", "must be one for all neurons")
    return float(times[0])


def _linear(
    group: b2.NeuronGroup, state: str, expression: Any
) -> tuple[Any, dict[str, Any], Any, tuple[str, ...]]:
    """Coefficient of the state itself, those of other states, the rest, and terms left out."""
    states = group.user_equations.diff_eq_names
    terms = sympy.Add.make_args(sympy.expand(str_to_sympy(expression.code)))
    names = [{str(s) for s in term.free_symbols} for term in terms]
    timed = [t for t, used in zip(terms, names, strict=True) if _varies(used)]
    kept = sympy.Add(*[t for t in terms if t not in timed])
    symbols = {str(s): s for s in kept.free_symbols if str(s) in states}
    coefficients = {name: sympy.diff(kept, symbol) for name, symbol in symbols.items()}
    rest = sympy.simplify(kept - sum(coefficients[n] * s for n, s in symbols.items()))
    used = {str(s) for c in (*coefficients.values(), rest) for s in c.free_symbols}
    if used & set(states):
        raise _refused(group, f"d{state}/dt", expression.code, "must be linear in its variables")
    own = coefficients.pop(state, sympy.Integer(0))
    return own, coefficients, rest, tuple(map(str, timed))


def _varies(names: set[str]) -> bool:
    return "t" in names or any(name == "xi" or name.startswith("xi_") for name in names)


def _value(item: Any, expression: Any, namespace: Namespace) -> Any:
    """An expression of constants and variables of a group or synapses, in SI units."""
    symbols = sorted(map(str, expression.free_symbols))
    found = item.resolve_all(symbols, namespace)
    values = [_entry(item, name, found[name]) for name in symbols]
    return sympy.lambdify(sorted(expression.free_symbols, key=str), expression, "numpy")(*values)


def _entry(item: Any, name: str, variable: Any) -> Any:
    if isinstance(variable, b2.core.variables.Subexpression):
        raise _refused(item, "variable", name, "is computed, and must be given by its parts")
    value = variable.get_value()
    if isinstance(item, b2.Synapses) and name in item.variables:
        index = item.variables.indices[name]
        ends = {"_presynaptic_idx": "_synaptic_pre", "_postsynaptic_idx": "_synaptic_post"}
        if index in ends:
            return value[item.variables[ends[index]].get_value()]
    return value


def _filled(group: b2.NeuronGroup, value: Any) -> FloatArray:
    return np.broadcast_to(np.asarray(value, dtype=float), (len(group),)).copy()


def weight_variable(synapses: OwnSynapses) -> str:
    """The synapses' own variable that is the weight. Raises InputError if it is none."""
    item = synapses.source
    tree = ast.parse(synapses.expression.strip(), mode="eval").body
    name = tree.id if isinstance(tree, ast.Name) else ""
    if name not in item.variables or item.variables.indices[name] != "_idx":
        allowed = "must be a variable of every synapse, as in on_pre='I_post += w' with 'w : 1'"
        raise _refused(item, "weight", synapses.expression, allowed)
    return name
