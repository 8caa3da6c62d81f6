"""Trainings that do not wait for each other, in processes of their own; what comes out does not depend on how many."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from lesionbook import processes, training
from lesionbook.tuning.runs import Bench


def each(function: Callable[[Any, Bench], Any], items: list, bench: Bench, *, workers: int = 1) -> Iterator[Any]:
    """Call a function with every item and a bench, and yield the results in order.

    Parameters
    ----------
    function : callable
        A function of a module, or a `functools.partial` of one.
    items : list
        Its first arguments. Each has a bench with an owner of its own, so that no two share an unfinished run.
    bench : Bench
        Images and places.
    workers : int
        Processes, each with the threads and the number format of this one; with 1 everything runs here.

    Yields
    ------
    object
        What the function returned.
    """
    numbered = [(item, replace(bench, owner=f"{bench.owner}-{number}")) for number, item in enumerate(items)]
    workers = min(workers, len(items))
    state = training.begun() if workers > 1 else None
    yield from processes.in_order(partial(_call, function, state), numbered, workers)


def _call(function: Callable[[Any, Bench], Any], state: dict[str, Any] | None, item: tuple[Any, Bench]) -> Any:
    if state:
        training.begin(seed=0, **state)  # each training sets its own seed
    return function(*item)
