"""Where everything lies. No other module joins folder names, so that a layout changes in one place."""

import os
from pathlib import Path

from lesionbook.errors import LesionbookError

EXECUTED = "notebook.ipynb"  # in a step's folder: the notebook with its outputs
FAILED = "failed.ipynb"  # the same up to the cell that failed
SECONDS = "seconds.txt"  # how long it took; nothing that is compared or reported reads it


def root() -> Path:
    """Folder of the project: the nearest one at or above the working directory with ``params`` and ``notebooks`` in it.

    Raises
    ------
    LesionbookError
        If neither the working directory nor this file lies inside the project.
    """
    for start in (Path.cwd(), Path(__file__).resolve()):
        for folder in (start, *start.parents):
            if (folder / "params").is_dir() and (folder / "notebooks").is_dir():
                return folder
    raise LesionbookError(
        f"No Lesionbook project at or above {Path.cwd().name!r}; run from inside the project's folder."
    )


def study_file(study: str) -> Path:
    """File that describes a study."""
    return root() / "params" / f"{study}.yml"


def notebook(name: str) -> Path:
    """Source of a notebook, by its name without the ending."""
    return root() / "notebooks" / f"{name}.ipynb"


def step(profile: str, study: str, name: str) -> Path:
    """Folder of everything that one notebook of a run leaves for the next."""
    return root() / "build" / profile / study / name


def drawn(dataset: str, fingerprint: str) -> Path:
    """Folder of drawn images in the layout of a data set; drawn otherwise, another folder."""
    return root() / "build" / "drawn" / f"{dataset}-{fingerprint}"


def downloaded(dataset: str) -> Path:
    """Folder in which real images are looked for where no other was named."""
    return root() / "data" / dataset


def cache() -> Path:
    """Folder of trained models, each under the fingerprint of everything that decided it."""
    return root() / "build" / "trained"


def report(profile: str, study: str, name: str, kind: str = "html") -> Path:
    """A rendered report; `kind` is html or pdf."""
    return root() / "reports" / profile / study / f"{name}.{kind}"


def relative(path: Path) -> str:
    """Path as written in reports and messages: from the project's folder, never from the machine's root."""
    try:
        return path.resolve().relative_to(root()).as_posix()
    except ValueError:
        return Path(os.path.relpath(path, root())).as_posix()
