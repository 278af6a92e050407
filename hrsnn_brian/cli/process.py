"""What `hrsnn` arranges for a process of its own: descriptors, streams, threads, Ctrl-C."""

import os
import signal
import sys
import threading
import time
from types import FrameType

from hrsnn_brian.files.machine import THREAD_VARIABLES

GRACE_S = 1.5  # from a signal to the end, if the work does not stop by itself


def own_process() -> None:
    """Arranges the process; call it before anything else, once, in the main thread."""
    _fill_descriptors()
    for stream in (sys.stdout, sys.stderr):
        if stream is not None and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a terminal that knows ASCII only
    signal.signal(signal.SIGTERM, _end)
    _end_in_time()


def limit_threads(count: int) -> None:
    """Linear algebra on `count` threads, here and in child processes.

    More than one fight with other processes for the same cores.
    """
    os.environ.update(dict.fromkeys(THREAD_VARIABLES, str(count)))
    if "numpy" in sys.modules:  # its library has read the environment already
        from threadpoolctl import threadpool_limits

        threadpool_limits(count)


def discard_output() -> None:
    """After standard output failed: what is still buffered for it goes nowhere, in silence."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _fill_descriptors() -> None:
    """A closed standard descriptor would be given to the next file: prints would end up in it."""
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, this one


def _end(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


def _end_in_time() -> None:
    """Ends the process soon after SIGINT or SIGTERM, also within a long call of linear algebra.

    Python runs a signal's handler between two of its own instructions: an eigendecomposition
    would have to finish first. Files are whole or absent at any moment.
    """
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)

    def watch() -> None:
        while (number := os.read(reading, 1)[0]) not in (signal.SIGINT, signal.SIGTERM):
            pass
        time.sleep(GRACE_S)
        os.write(2, b"hrsnn: interrupted\n")
        os._exit(128 + number)

    threading.Thread(target=watch, daemon=True).start()
