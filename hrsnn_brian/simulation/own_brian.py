"""A Brian of our own inside the user's: neither sees the other's device, clock or preferences."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from brian2 import Network, prefs

devices: Any = import_module("brian2.devices.device")  # its parent has a proxy of that name

# Where Brian may write and what it says decide no number.
_KEPT = ("codegen.runtime.cython.", "codegen.max_cache_dir_size", "logging.")


def default_preferences() -> None:
    """Forget what preference files and the session set: they would decide numbers and programs.

    A first Ctrl-C interrupts: by default Brian ends the run early and goes on as if it were whole.
    """
    for base, (definitions, _) in prefs.pref_register.items():
        for end, preference in definitions.items():
            name = f"{base}.{end}"
            if not name.startswith(_KEPT):
                prefs.prefs[name] = preference.default
    prefs.prefs_unvalidated.clear()
    prefs.prefs["core.stop_on_keyboard_interrupt"] = False


@contextmanager
def own_brian(target: str) -> Iterator[None]:
    """Brian's runtime device with code generation `target` and default preferences.

    Afterwards device, clock, preferences and log level of the session are those of before.
    """
    runtime, logger = devices.runtime_device, logging.getLogger("brian2")
    former_device, former_state = devices.active_device, dict(vars(runtime))
    former_prefs, unvalidated = dict(prefs.prefs), dict(prefs.prefs_unvalidated)
    running, stopped = Network._globally_running, Network._globally_stopped
    level = logger.level
    try:
        default_preferences()
        prefs.prefs["codegen.target"] = target
        logger.setLevel(logging.ERROR)
        devices.active_device, runtime.defaultclock = runtime, None
        runtime.activate()  # makes a clock of our own
        yield
    finally:
        devices.active_device = former_device
        vars(runtime).clear()
        vars(runtime).update(former_state)
        for table, former in (
            (prefs.prefs, former_prefs),
            (prefs.prefs_unvalidated, unvalidated),
        ):
            table.clear()
            table.update(former)
        Network._globally_running, Network._globally_stopped = running, stopped
        logger.setLevel(level)
