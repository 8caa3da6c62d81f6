"""What is left of a run: its epochs, its answers and its times, in a folder that is whole or absent."""

import json
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from lesionbook import fitting, predictions

HISTORY = [*fitting.HISTORY, "phase"]


class Listener:
    """Gathers the epochs of a run and passes them on, those of an earlier process included, each once."""

    def __init__(self, on_epoch: Callable[[pd.Series], None]) -> None:
        self.on_epoch = on_epoch
        self.rows: list[dict[str, Any]] = []
        self.seconds: list[float] = []
        self.last = time.perf_counter()
        self.phase = 1

    @property
    def history(self) -> pd.DataFrame:
        """The epochs so far, with their phase."""
        return pd.DataFrame(self.rows, columns=HISTORY).astype({"epoch": int, "phase": int})

    def epoch(self, row: pd.Series) -> None:
        """Take an epoch that was just trained."""
        now = time.perf_counter()
        self.seconds.append(now - self.last)
        self.last = now
        self._add(row)

    def batch(self, epoch: int, batch: int, batches: int) -> None:
        """Batches are too many to tell of."""

    def replay(self, file: Path, phase: int = 1) -> None:
        """Take the epochs that an earlier process trained, if there are any."""
        self.phase = phase
        if file.exists():
            for _, row in pd.read_csv(file).iterrows():
                self.seconds.append(float("nan"))  # measured by a process that is gone
                self._add(row)
        self.last, self.phase = time.perf_counter(), 1

    def _add(self, row: pd.Series) -> None:
        self.rows.append({"phase": self.phase, **row.to_dict()})
        self.on_epoch(row)


def read(folder: Path, listener: Listener) -> pd.DataFrame:
    """Read a finished run and give its answers.

    The listener hears of its epochs, and whoever listens may stop it as the training might have been stopped.
    """
    times = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    listener.replay(folder / "history.csv")
    listener.seconds = times["seconds"]
    return predictions.read(folder / "predictions.csv")


def write(folder: Path, listener: Listener, answers: pd.DataFrame) -> pd.DataFrame:
    """Write a run so that its folder is whole or absent; gives the answers as they will be read again.

    A file rounds them: what is said of a run must not change when it is read.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=folder.parent))
    temporary.chmod(0o755)  # others on the machine may read it
    try:
        listener.history.to_csv(temporary / "history.csv", index=False, lineterminator="\n")
        predictions.write(answers, temporary / "predictions.csv")
        (temporary / "run.json").write_text(json.dumps({"seconds": listener.seconds}), encoding="utf-8")
        try:
            temporary.replace(folder)
        except OSError:
            if not folder.exists():  # else another notebook has just finished the same run
                raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return predictions.read(folder / "predictions.csv")
