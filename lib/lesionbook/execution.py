"""Running one notebook of a study with papermill, and saying in a few lines what went wrong where it did."""

import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat
import papermill
from nbclient.exceptions import DeadKernelError
from papermill.exceptions import PapermillExecutionError
from traitlets.config import Config

from lesionbook import params, paths
from lesionbook.errors import LesionbookError
from lesionbook.paths import EXECUTED, FAILED, SECONDS

LOG = "kernel.log"
KERNEL = "python3"
ANSI = re.compile(r"\x1b\[[0-9;]*m")


def execute(study: str, profile: str, step: str) -> None:
    """Run the notebook of one step and leave the executed copy in the step's folder.

    Raises
    ------
    LesionbookError
        If a cell fails or the kernel dies: which notebook, which cell, which error. The notebook up to there is kept as
        ``failed.ipynb`` and an executed copy of an earlier run stays as it was.
    """
    settings = params.load(study, profile)
    experiment = settings.experiments[step]
    folder = paths.step(profile, study, step)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FAILED).unlink(missing_ok=True)
    start = time.perf_counter()
    with tempfile.TemporaryDirectory(dir=folder) as temporary, tempfile.TemporaryDirectory() as sockets:
        executed = Path(temporary) / EXECUTED
        try:
            with _environment(experiment.threads), _errors_to(folder / LOG):
                papermill.execute_notebook(
                    paths.notebook(experiment.notebook),
                    executed,
                    params.arguments(study, profile, step, settings),
                    kernel_name=KERNEL,
                    cwd=paths.root(),
                    progress_bar=False,
                    config=_transport(sockets),
                )
        except DeadKernelError as error:
            if executed.exists():
                shutil.copy(executed, folder / FAILED)
            raise LesionbookError(
                f"{experiment.notebook}.ipynb: its kernel died, most often for lack of memory ({study}, {profile}); "
                f"see {paths.relative(folder / LOG)}, and run fewer notebooks at once by JOBS=1."
            ) from error
        except PapermillExecutionError as error:
            shutil.copy(executed, folder / FAILED)
            raise LesionbookError(
                f"{experiment.notebook}.ipynb failed in cell {error.exec_count} ({study}, {profile}): "
                f"{error.ename}: {_first_line(error.evalue)}"
            ) from error
        clean(executed)
        executed.replace(folder / EXECUTED)
    (folder / SECONDS).write_text(f"{time.perf_counter() - start:.1f}\n", encoding="utf-8")


def clean(path: Path) -> None:
    """Take times, machine paths and run ids out of an executed notebook, so that the same run has the same bytes."""
    notebook = nbformat.read(path, as_version=4)
    notebook.metadata.pop("papermill", None)
    notebook.metadata.pop("widgets", None)
    notebook.metadata.get("language_info", {}).pop("version", None)
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number:03d}"
        for key in ("papermill", "execution", "collapsed"):
            cell.metadata.pop(key, None)
        if cell.cell_type == "code":  # what libraries write to the error stream carries times and process numbers
            cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
    nbformat.write(notebook, path)


@contextmanager
def _errors_to(log: Path) -> Iterator[None]:
    """Send what the kernel's process writes past Python (start-up messages of TensorFlow, a crash) to a file."""
    kept = os.dup(2)
    with log.open("w") as file:
        os.dup2(file.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)


def _transport(folder: str) -> Config:
    """Let kernels talk through sockets in a folder of their own: a TCP port may be taken by the notebook next door."""
    if os.name == "nt":
        return Config()
    return Config({"KernelManager": {"transport": "ipc", "ip": f"{folder}/kernel"}})


@contextmanager
def _environment(threads: int) -> Iterator[None]:
    """Environment of the kernel: thread counts fixed before any library starts, a quiet start-up, no windows."""
    counts = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "TF_NUM_INTRAOP_THREADS")
    before = dict(os.environ)
    os.environ.update(dict.fromkeys(counts, str(threads)))
    os.environ.update(TF_NUM_INTEROP_THREADS=str(threads), TF_CPP_MIN_LOG_LEVEL="3", MPLBACKEND="agg")
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _first_line(text: str) -> str:
    lines = [line for line in ANSI.sub("", text).strip().splitlines() if line.strip()]
    return lines[0] if lines else "no message"
