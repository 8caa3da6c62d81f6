"""Work on long lists by all cores: parted into pieces, done side by side, results in the order of the list."""

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any

import cv2

from lesionbook.errors import LesionbookError

SHORTEST, LONGEST, PIECES = 8, 64, 32  # items in a piece; pieces that a list of middling length is parted into


def parted(items: list, longest: int = LONGEST) -> list[list]:
    """Part a list into successive pieces, long enough to be worth sending and enough of them to keep all cores busy."""
    length = min(max(len(items) // PIECES, SHORTEST), longest)
    return [items[start : start + length] for start in range(0, len(items), length)]


def in_order(function: Callable[[Any], Any], items: list, workers: int | None = None) -> Iterator[Any]:
    """Call a function with every item, in several processes, and yield the results in order.

    Processes, not threads: decoding a small image is mostly Python, which only one thread at a time can run. They are
    spawned, not forked, as a forked one would inherit the locks of threads that TensorFlow may have started. No more
    than two items per process are under way or waiting to be fetched, so memory does not grow with the list. To end
    before the list does, close the generator.

    Parameters
    ----------
    function : callable
        A function of a module, or a `functools.partial` of one.
    items : list
        A list of one item is worked on in this process.
    workers : int, optional
        Number of processes, by default as many as there are cores; with 1 everything runs in this process.

    Yields
    ------
    object
        What the function returned.

    Raises
    ------
    LesionbookError
        If a process dies. What the function raises, comes through as it is.
    """
    workers = min(workers or cores(), len(items))
    if workers <= 1:
        yield from map(function, items)
        return
    pool = ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"), initializer=_begin)
    waiting = deque()
    try:
        for item in items:
            if len(waiting) == 2 * workers:
                yield waiting.popleft().result()
            waiting.append(pool.submit(function, item))
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool as error:
        raise LesionbookError(
            "One of several processes died, most often for lack of memory; run fewer notebooks at once by JOBS=1."
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def cores() -> int:
    """Number of processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _begin() -> None:
    cv2.setNumThreads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupted notebook ends its processes itself
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End when the notebook is killed: a process that waits for work would not notice, and stay for ever."""
    multiprocessing.parent_process().join()
    os._exit(1)
