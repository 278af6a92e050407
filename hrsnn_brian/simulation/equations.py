"""The model, as text: the one place where its equations stand.

LIF neurons with their own membrane time constant, threshold and bias, exponential synaptic
currents and exponential traces of their own spikes (method: Perez-Nieves et al. 2021; Chakraborty
et al. 2024, arXiv:2403.03409 [paper]; thresholds, traces and the encoder are our choice).
All variables are dimensionless but times. `tau_*` are per neuron, traces' are shared.
"""

from hrsnn_brian.simulation.shape import ModelShape

MEMBRANE = {
    "one": """
dv/dt = (I_syn + {external} - v)/tau_m : 1 {refractory}
dI_syn/dt = -I_syn/tau_e : 1
""",
    "two": """
dv/dt = (I_e - I_i + {external} - v)/tau_m : 1 {refractory}
dI_e/dt = -I_e/tau_e : 1
dI_i/dt = -I_i/tau_i : 1
tau_i : second (constant)
""",
}

NEURON_PARAMETERS = """
tau_m : second (constant)
tau_e : second (constant)
v_th : 1 (constant)
"""

# A spike reaches its targets after the delay, the same for all synapses.
SYNAPSE = "w : 1 (constant)"
ON_PRE = "{current}_post += w"

# Pair-based STDP, all pairs (Song, Miller & Abbott 2000). x and y remember the spikes of either
# side as the synapse sees them: a spike counts when it has arrived over the delay. `size` is |w|,
# direction +-1. A step is A*w_max (additive, soft = 0), or A*(w_max - size) up and A*size down
# (multiplicative, soft = 1). Spikes that meet in one time step count as pre before post, and a
# spike is transmitted with the weight it finds. [our choice]
PLASTIC_SYNAPSE = """
w : 1
dx/dt = -x/tau_plus : 1 (event-driven)
dy/dt = -y/tau_minus : 1 (event-driven)
tau_plus : second (constant)
tau_minus : second (constant)
A_plus : 1 (constant)
A_minus : 1 (constant)
w_min : 1 (constant)
w_max : 1 (constant)
soft : 1 (constant)
direction : 1 (constant)
"""
PLASTIC_STATE = ("x", "y", "lastupdate")  # 0 at the start; Brian adds the last one
DEPRESSION = """
size = direction*w
w = direction*clip(size - A_minus*y*(w_max - soft*(w_max - size)), w_min, w_max)
x += 1
"""
POTENTIATION = """
size = direction*w
w = direction*clip(size + A_plus*x*(w_max - soft*size), w_min, w_max)
y += 1
"""

# A Poisson-coded input arrives as kicks on a fast current of its own.
SHOT_NOISE = """
dI_shot/dt = -I_shot/tau_in : 1
tau_in : second (constant, shared)
kick : 1 (constant, shared)
"""

RESET = {"subtractive": "v -= v_th", "hard": "v = v_reset"}
THRESHOLD = "v >= v_th"

# A spike at step k keeps the neuron from being updated until step k + refractory_steps. Counting
# steps gives the same spikes as Brian's comparison of times, without its division per neuron.
REFRACTORY_PARAMETERS = "release : integer\nrefractory_steps : integer (constant, shared)\n"
REFRACTORY = "t_in_timesteps < release"
REFRACTORY_RESET = "release = t_in_timesteps + refractory_steps"

# The encoder holds one current per neuron, renewed once per sample; `x` is the input projected on
# the neuron's direction. Every encoder can add frozen white noise, which costs nothing at sd = 0.
ENCODER_PARAMETERS = """
bias : 1 (constant)
sd : 1 (constant, shared)
neuron_id : integer (constant)
I : 1
"""
# The frozen noise of a run has one key; copies with inputs of their own have one each.
STREAM = "stream : 1 (constant{shared})\n"
BACKGROUND = "bias + white_noise(sd, stream, t_in_timesteps, neuron_id)"
TUNING = "exp(-(x - center)**2/(2*width**2))"
ENCODER = {
    "population": (
        "x : 1\ncenter : 1 (constant)\nwidth : 1 (constant, shared)\ngain : 1 (constant, shared)",
        f"I = {BACKGROUND} + gain*{TUNING}",
    ),
    "current": (
        "x : 1\ngain : 1 (constant, shared)",
        f"I = {BACKGROUND} + gain*x",
    ),
    "poisson": (
        "x : 1\ncenter : 1 (constant)\nwidth : 1 (constant, shared)\n"
        "rate_max : Hz (constant, shared)\nrate : Hz",
        f"I = {BACKGROUND}\nrate = rate_max*{TUNING}",
    ),
    "direct": ("", f"I = {BACKGROUND} + stimulus(t, i)"),
}

# Input channels: the stimulus, or the readout's own prediction while `free` (closed loop).
CHANNELS = (
    "u : 1\nfrom_states : 1\nfrom_squares : 1\nfrom_u : 1\nintercept : 1 (constant)",
    # The bound only stops a diverged free run; it lies far beyond any scored error.
    "u = stimulus(t, i)*int(free(t) < 0.5)"
    " + clip(intercept + from_u + from_states + from_squares, -10, 10)*int(free(t) > 0.5)",
)
PROJECTION = "p : 1 (constant)\nx_post = p*u_pre : 1 (summed)"
FEEDBACK = "c : 1 (constant)\nfrom_u_post = c*u_pre : 1 (summed)"
# Squares of sums of traces, `shape.SQUARES` of them: what makes a readout quadratic.
SUMS = "h : 1"
SQUARED = "c : 1 (constant)\nfrom_squares_post = c*h_pre**2 : 1 (summed)"
POISSON_RATE = "rate : Hz (linked)\nneuron_id : integer (constant)\n"
POISSON_KICKS = "I_shot += kick*int(frozen_uniform(stream, t_in_timesteps, neuron_id) < rate*dt)"

# What happens in the first time step of a sample, in Brian's slot "start" in this order; kicks come
# at every step. Then Brian's own slots.
STEPS = {
    "states": "the states are recorded",
    "sums": "sums of traces are formed, of which a readout may have the squares",
    "readout": "the readout sums over the states",
    "squared": "and over the squares",
    "feedback": "and over the input before",
    "channels": "channels receive the stimulus, or the readout's prediction while free",
    "predictions": "channels are recorded",
    "projection": "channels are projected on every neuron's direction p",
    "encode": "the encoder renews its currents",
    "kicks": "Poisson kicks arrive (at every step)",
}
ORDER = {name: number - 10 for number, name in enumerate(STEPS)}
SLOTS = ("potentials and currents move on by dt", "thresholds", "synapses", "resets")


def differential_equations(shape: ModelShape) -> str:
    """The neuron's ODEs and the parameters in them, as Brian equations."""
    poisson = shape.encoding == "poisson"
    text = MEMBRANE[shape.currents].format(
        external="I_in + I_shot" if poisson else "I_in",
        refractory="(unless refractory)" if shape.refractory else "",
    )
    text += NEURON_PARAMETERS + (SHOT_NOISE if poisson else "")
    if shape.reset == "hard":
        text += "v_reset : 1 (constant, shared)\n"
    for name in shape.trace_names:
        text += f"d{name}/dt = -{name}/tau_{name} : 1\ntau_{name} : second (constant, shared)\n"
    return text


def neuron_equations(shape: ModelShape) -> str:
    """The ODEs with the input linked from the encoder and what events need."""
    text = differential_equations(shape) + "I_in : 1 (linked)\n"
    if shape.refractory:
        text += REFRACTORY_PARAMETERS
    if shape.encoding == "poisson":
        text += POISSON_RATE + _stream(shape)
    return text


def encoder_equations(shape: ModelShape) -> tuple[str, str]:
    """Declarations of the encoder, and its statements."""
    declarations, statements = ENCODER[shape.encoding]
    return ENCODER_PARAMETERS + _stream(shape) + declarations, statements


def _stream(shape: ModelShape) -> str:
    return STREAM.format(shared="" if shape.own_input else ", shared")


def reset_statements(shape: ModelShape) -> str:
    statements = [RESET[shape.reset], *(f"{name} += 1" for name in shape.trace_names)]
    return "\n".join([*statements, REFRACTORY_RESET] if shape.refractory else statements)


def synapse_equations(current: str, plastic: bool = False) -> dict[str, str]:
    """Recurrent synapses onto one synaptic current, as the arguments of Brian's Synapses."""
    on_pre = ON_PRE.format(current=current)
    if not plastic:
        return {"model": SYNAPSE, "on_pre": on_pre}
    return {
        "model": PLASTIC_SYNAPSE,
        "on_pre": on_pre + DEPRESSION,
        "on_post": POTENTIATION,
    }


def readout_equations(shape: ModelShape) -> str:
    """Synapses from neurons to channels: the linear readout inside the program."""
    names = shape.state_names
    terms = " + ".join(f"c_{name}*{name}_pre" for name in names)
    return "\n".join(
        [
            *(f"c_{name} : 1 (constant)" for name in names),
            f"from_states_post = {terms} : 1 (summed)",
        ]
    )


def sum_equations(shape: ModelShape) -> str:
    """Synapses from neurons to the sums of traces."""
    terms = " + ".join(f"q_{name}*{name}_pre" for name in shape.trace_names)
    return "\n".join(
        [
            *(f"q_{name} : 1 (constant)" for name in shape.trace_names),
            f"h_post = {terms} : 1 (summed)",
        ]
    )


# --- Spike times inside the step -------------------------------------------------------------
# For infinitesimal perturbations a spike time must move with the state, so the crossing is found
# inside the step and everything that follows from it is a smooth function of it (our choice, after
# the interpolated methods of Hansel et al. 1998 and Shelley & Tao 2001). `since` is the time from
# the crossing to the end of the step, `remaining` what is left of the refractory period then,
# `mobile` the part of the step in which the neuron was not refractory, `rise` what v gained in it.

INTERPOLATED_PARAMETERS = """
remaining : second
mobile : 1
rise : 1
since : second
t_ref : second (constant, shared)
v_restart : 1 (constant, shared)
"""
DRIVE = {"one": "drive = I_syn + I_in : 1\n", "two": "drive = I_e - I_i + I_in : 1\n"}

# After the propagators' values _v, _I...: a refractory neuron stays, one released within the step
# moves for the free part of it.
INTERPOLATED_UPDATE = """
mobile = clip(1 - remaining/dt, 0, 1)
rise = mobile*(_v - v)
v = v + rise
remaining = clip(remaining - dt, 0*second, 1e9*second)
"""

# At a spike, before it is propagated. v(t) is a parabola through the step's ends with the slope at
# its end; its root nearest the end is the crossing. A neuron that kicks at the end of a step lifted
# over the threshold is found in the next one, its crossing before that step's start: since > dt.
# From the crossing on the neuron rests for t_ref and moves for what is left of the step.
INTERPOLATED_RESET = """
slope = (drive - v)/tau_m
curvature = 2*(slope*dt - rise)/dt**2
root = sqrt(clip(slope**2 - 2*curvature*(v - v_th), 0*Hz**2, 1e30*Hz**2))
since = clip(2*(v - v_th)/clip(slope + root, 1e-9*Hz, 1e15*Hz), 0*second, 2*dt)
moving = clip(since - t_ref, 0*second, 2*dt)
v = v_restart + (1 - exp(-moving/tau_m))*(drive - v_restart)
remaining = clip(t_ref - since, 0*second, 1e9*second)
mobile = clip(moving/dt, 0, 1)
"""

# A kick of age `since`: the current has decayed, the potential has begun to follow.
KICK = """
age = clip(since_pre, 0*second, mobile_post*dt + int(mobile_post >= 1)*2*dt)
{current}_post += w*exp(-since_pre/{tau}_post)
fraction = age/tau_m_post*(1 - age*(1/tau_m_post + 1/{tau}_post)/2)
v_post += {sign}int(remaining_post <= 0*second)*w*fraction
"""


def interpolated_kick(current: str) -> str:
    """The effect of a spike on one synaptic current and, within the step, on the potential."""
    return KICK.format(
        current=current,
        tau="tau_i" if current == "I_i" else "tau_e",
        sign="-" if current == "I_i" else "",
    )
