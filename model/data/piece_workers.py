"""Processes that prepare recordings and pictures beside this one: ``python -m model.data.piece_workers``.

They are started as the worker of the window is, and not by multiprocessing, which would run the program's main module
again and import from the current folder. What they receive and send, over pipes to their parent alone, is pickled.
"""

from __future__ import annotations

import logging
import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from model.processes import avoid_current_folder, environment, python

if TYPE_CHECKING:
    from model.data.array_cache import Piece

Computer = Callable[[Sequence[str]], "Piece"]
"""Computes a piece, given its keys; with no keys it loads what it needs."""

log = logging.getLogger(__name__)

_MOST_PROCESSES = 8  # each takes some 300 MB
_WORTH_A_PROCESS = 1_000  # items; a process takes some seconds to start, in which it could process as many
_MOST_AHEAD = 64  # pieces that wait in memory for an earlier one
_COMMAND = python("-m", "model.data.piece_workers")


def processes_for(count: int) -> int:
    """How many processes to start beside this one for so many items."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(0, min(cores, _MOST_PROCESSES, count // _WORTH_A_PROCESS) - 1)


def compute_pieces(computer: Computer, pieces: Sequence[Sequence[str]], processes: int) -> Generator[Piece, None, None]:
    """Compute pieces of a corpus, in their order, in this process and in others beside it.

    Parameters
    ----------
    computer
        Computes a piece; if it can't be pickled, everything is computed in this process.
    pieces
        Keys of the items of each piece.
    processes
        Number of other processes.
    """
    try:
        pickled = pickle.dumps(computer) if processes else b""
    except Exception as error:  # pickle raises almost anything
        log.info("Data are prepared in one process: %s", error)
        pickled, processes = b"", 0
    crew = _Crew(pieces, pickled, processes)
    try:
        for place in range(len(pieces)):
            while (task := crew.task_before(place)) is not None:
                crew.put(task, computer(pieces[task]))
            yield crew.pop(place)
    finally:
        crew.dismiss()


class _Crew:
    """Other processes, each with a thread that hands it pieces."""

    def __init__(self, pieces: Sequence[Sequence[str]], computer: bytes, processes: int) -> None:
        self._pieces = pieces
        self._changed = threading.Condition()
        self._next = 0
        self._results: dict[int, Piece] = {}
        self._in_work: set[int] = set()
        self._children = [_start() for _ in range(processes)]
        self._threads = [
            threading.Thread(target=self._serve, args=(child, computer), name="pieces", daemon=True)
            for child in self._children
        ]
        for thread in self._threads:
            thread.start()

    def task_before(self, place: int) -> int | None:
        """What this process should compute before it asks for a piece; ``None`` once that piece is computed."""
        with self._changed:
            while place not in self._results:
                if place < self._next and place not in self._in_work:  # the process that had it has failed
                    return place
                if self._next < min(len(self._pieces), place + _MOST_AHEAD):
                    self._next += 1
                    return self._next - 1
                self._changed.wait()
            return None

    def put(self, place: int, piece: Piece) -> None:
        """Keep a result."""
        with self._changed:
            self._in_work.discard(place)
            self._results[place] = piece
            self._changed.notify_all()

    def pop(self, place: int) -> Piece:
        """The result, which is kept no longer."""
        with self._changed:
            return self._results.pop(place)

    def _serve(self, child: subprocess.Popen[bytes], computer: bytes) -> None:
        """Hand pieces to a process until there are none, or it fails; then the other ones compute its piece."""
        place: int | None = None
        try:
            assert child.stdin is not None, "it has a pipe"
            assert child.stdout is not None, "it has a pipe"
            child.stdin.write(computer)
            child.stdin.flush()
            pickle.load(child.stdout)  # it is ready
            while (place := self._take()) is not None:
                pickle.dump(self._pieces[place], child.stdin)
                child.stdin.flush()
                self.put(place, pickle.load(child.stdout))
        except Exception as error:  # pickle raises almost anything if the process ends
            log.warning("A process that prepares data has failed: %r", error)
        finally:
            with self._changed:
                if place is not None:
                    self._in_work.discard(place)
                self._changed.notify_all()

    def _take(self) -> int | None:
        """The next piece for another process, ``None`` if there is none."""
        with self._changed:
            if self._next == len(self._pieces):
                return None
            self._in_work.add(self._next)
            self._next += 1
            return self._next - 1

    def dismiss(self) -> None:
        """End the processes."""
        with self._changed:
            self._next = len(self._pieces)
        for child in self._children:
            child.kill()
        for child in self._children:
            child.wait()
        for thread in self._threads:
            thread.join()
        for child in self._children:
            for pipe in (child.stdin, child.stdout):
                if pipe is not None:
                    with suppress(OSError):
                        pipe.close()


def _start() -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        _COMMAND,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment(),
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )


def main() -> None:
    """Compute pieces until the end of the input."""
    avoid_current_folder()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal reaches the parent too, which ends this process
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # libraries may print to standard output
    with suppress(EOFError, BrokenPipeError):
        computer: Any = pickle.load(sys.stdin.buffer)
        computer(())  # loads what it needs
        pickle.dump(None, output)
        output.flush()
        while True:
            pickle.dump(computer(pickle.load(sys.stdin.buffer)), output)
            output.flush()


if __name__ == "__main__":
    main()
