"""Progress with the time left: a bar on a terminal, plain lines in a log or a pipe."""

import math
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TextIO


def clock_text(seconds: float) -> str:
    """Seconds as m:ss or h:mm:ss."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


@dataclass(frozen=True)
class Lines:
    """Where lines of progress go, and how often: to `stream`, and each to `log`, too.

    every_s: seconds from one line on the stream to the next, unless it is an important one.
    """

    log: Callable[[str], None] = lambda text: None
    every_s: float = 2.0
    clock: Callable[[], float] = time.monotonic
    stream: TextIO = field(default_factory=lambda: sys.stderr)

    def say(self, text: str) -> None:
        """A line on the stream alone."""
        print(text, file=self.stream, flush=True)


class EngineProgress:
    """Says that a program is being compiled, which happens once per model shape and takes a while.

    Called by an engine with ("build" or "run", fraction done), in whatever process it is. One line
    at the beginning and one at the end of a build, others now and then.
    """

    def __init__(self, lines: Lines | None = None) -> None:
        self._lines = lines or Lines(every_s=5.0)
        self._start: float | None = None
        self._last = 0.0

    def __call__(self, what: str, fraction: float) -> None:
        if what == "wait":
            self._say("waiting for another process that compiles the simulation program")
        if what != "build":
            return
        now = self._lines.clock()
        if self._start is None:
            self._start = self._last = now
            self._say("compiling the simulation program (once, it is kept in the cache)")
        elif fraction >= 1:
            self._say(f"compiled in {clock_text(now - self._start)}")
            self._start = None
        elif now - self._last >= self._lines.every_s:
            self._last = now
            left = (now - self._start) * (1 - fraction) / max(fraction, 0.01)
            self._say(f"compiling {fraction:.0%} | left {clock_text(left)}")

    def _say(self, text: str) -> None:
        self._lines.log(text)
        self._lines.say(text)


class Steps:
    """Says what work is at whose length is not known: a line per step, now and then.

    Called with what is begun.
    """

    def __init__(self, label: str, lines: Lines | None = None) -> None:
        self._label, self._lines = label, lines or Lines()
        self._start, self._last, self._count = self._lines.clock(), -math.inf, 0

    def __call__(self, what: str) -> None:
        now = self._lines.clock()
        self._count += 1
        if now - self._last >= self._lines.every_s:
            self._last = now
            line = f"{self._label}: step {self._count}, {what} | elapsed "
            self._lines.say(line + clock_text(now - self._start))


class Progress:
    """Counts finished pieces of work and says how much is left.

    `already` pieces were finished before this process began: they count as done, not for the
    speed. `jobs` pieces are worked on at a time. `overhead` says how many seconds went into what is
    done once, such as compiling: they do not count for the time left. The first and the last
    piece always have their line.
    """

    def __init__(
        self,
        label: str,
        total: int,
        *,
        already: int = 0,
        jobs: int = 1,
        overhead: Callable[[], float] = lambda: 0.0,
        lines: Lines | None = None,
    ) -> None:
        self.label, self.total, self.done, self.already = label, total, already, already
        self._lines = lines or Lines()
        self._jobs, self._overhead, self._spent = jobs, overhead, overhead()
        self._start = self._last_piece = self._lines.clock()
        self._warm: list[float] = []
        self._cold: list[float] = []
        self._last_line = -math.inf
        self._bar = None
        if self._lines.stream.isatty():
            from tqdm import tqdm

            self._bar = tqdm(
                total=total,
                initial=already,
                desc=label,
                file=self._lines.stream,
                dynamic_ncols=True,
            )

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *error: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def extend(self, pieces: int) -> None:
        """There is more to do than was known."""
        self.total += pieces
        if self._bar is not None:
            self._bar.total = self.total

    def skip(self) -> None:
        """One piece was finished by somebody else: it is done, and says nothing of our speed."""
        self.done += 1
        self.already += 1
        if self._bar is not None:
            self._bar.update(1)

    def seconds_left(self) -> float | None:
        """Expected seconds until all is done; None before this process finished a piece."""
        pieces = self._warm or [min(self._cold, default=math.nan)]
        left = self.total - self.done
        found = sum(pieces) / len(pieces) * left / max(1, min(self._jobs, left))
        return None if math.isnan(found) else found

    def line(self, note: str = "") -> str:
        """The state as one line: done/total, elapsed, time left, note."""
        left = self.seconds_left()
        parts = [
            f"{self.label} {self.done}/{self.total}",
            f"elapsed {clock_text(self._lines.clock() - self._start)}",
            f"left {'?' if left is None else clock_text(left)}",
        ]
        return " | ".join(parts + [note] * bool(note))

    def say(self, text: str) -> None:
        """Shows one line that is no progress."""
        if self._bar is not None:
            self._bar.write(text, file=self._lines.stream)
        else:
            self._lines.say(text)

    def advance(
        self, note: str = "", seconds: float | None = None, cold: bool = False, pieces: int = 1
    ) -> None:
        """One piece, or several at once, is finished; `note` says which.

        seconds: what it took without what is done once; default: the time since the piece before,
        less the overhead. cold: the seconds still hold such work, and count for the time left
        only until another piece is finished.
        """
        now, spent = self._lines.clock(), self._overhead()
        took = now - self._last_piece - (spent - self._spent) if seconds is None else seconds
        (self._cold if cold else self._warm).extend([max(took, 0.0) / pieces] * pieces)
        self._spent, self._last_piece = spent, now
        first = self.done == self.already
        self.done += pieces
        text = self.line(note)
        self._lines.log(text)
        if self._bar is not None:
            self._bar.set_postfix_str(note, refresh=False)
            self._bar.update(pieces)
            return
        if first or self.done == self.total or now - self._last_line >= self._lines.every_s:
            self._last_line = now
            self._lines.say(text)


class Stages:
    """The progress of work in stages that are known only once they begin.

    Called with the stage, the pieces of it that are done, and how many it has. overhead: as in
    `Progress`. Used in a `with`.
    """

    def __init__(
        self, overhead: Callable[[], float] = lambda: 0.0, lines: Lines | None = None
    ) -> None:
        self._overhead, self._lines = overhead, lines
        self._stage: Progress | None = None

    def __call__(self, label: str, done: int, total: int) -> None:
        if self._stage is None or self._stage.label != label:
            self._close()
            self._stage = Progress(label, total, overhead=self._overhead, lines=self._lines)
        if done > self._stage.done:
            self._stage.advance(pieces=done - self._stage.done)

    def __enter__(self) -> "Stages":
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def _close(self) -> None:
        if self._stage is not None:
            self._stage.__exit__(None, None, None)
