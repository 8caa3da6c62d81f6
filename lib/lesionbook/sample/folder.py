"""What every drawn sample shares: numbers in range, processes side by side, a folder that appears when complete."""

import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import cv2

from lesionbook.errors import LesionbookError
from lesionbook.processes import in_order

NOTE = (
    "The {what} in this folder are drawn by a program (seed {seed}); they show no patient, "
    "mean nothing clinically, and only follow the file layout of {layout}.\n"
)


def check(**numbers: tuple[int, int]) -> None:
    """Refuse numbers out of range.

    Parameters
    ----------
    **numbers : tuple of (int, int)
        Name of an argument of the user's: its value and the least value allowed.

    Raises
    ------
    LesionbookError
        If a value is smaller than allowed; names the argument.
    """
    for name, (value, least) in numbers.items():
        if value < least:
            raise LesionbookError(f"sample: {name} is {value}; give a whole number of at least {least}.")


@contextmanager
def complete(folder: Path, *, layout: str, seed: int, what: str = "images and metadata") -> Iterator[Path]:
    """Give an empty folder to draw into, which takes the name `folder` when the block has ended well.

    Until then, and after a failure, there is nothing under that name. The mark `DRAWN.txt` is written last.

    Parameters
    ----------
    folder : Path
        Must not exist or be empty; folders above it are made.
    layout : str
        Name of the data set whose files and folders the sample has, for the mark.
    seed : int
        For the mark.
    what : str
        What was drawn, for the mark.

    Yields
    ------
    Path
        The folder to draw into, beside `folder`.

    Raises
    ------
    LesionbookError
        If `folder` holds something already.
    """
    folder = Path(folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise LesionbookError(f"sample: {folder} exists already; delete it or name another folder.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    building = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    building.chmod(0o755)  # temporary folders start out private; others on the machine may read this one
    try:
        yield building
        note = NOTE.format(what=what, seed=seed, layout=layout)
        (building / "DRAWN.txt").write_text(note, encoding="utf-8")
        building.replace(folder)
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        raise


def each(function: Callable[[Any], None], items: Iterable[Any], *, processes: int, chunk: int = 8) -> None:
    """Call a function with every item, in several processes; OpenCV keeps to one thread in each.

    Parameters
    ----------
    function : callable
        Draws and writes one item. With more than one process it has to be picklable: a function of a module, or a
        `functools.partial` of one. What it writes must depend on its arguments only.
    items : iterable
        What to call it with, one after the other.
    processes : int
        With 1 everything runs in this process.
    chunk : int
        Number of successive items that go to the same process at a time.
    """
    items = list(items)
    pieces = [items[start : start + chunk] for start in range(0, len(items), chunk)]
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)  # the processes of the pool see to it themselves
    try:
        for _ in in_order(partial(_call, function), pieces, processes):
            pass  # asking for each result raises what went wrong
    finally:
        cv2.setNumThreads(threads)


def _call(function: Callable[[Any], None], piece: list[Any]) -> None:
    for item in piece:
        function(item)
