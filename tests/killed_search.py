"""Search on small images and die in the middle of a trial: ``killed_search.py FOLDER EPOCHS``."""

import os
import signal
import sys
from pathlib import Path

from small_tuning import TPE, task

from lesionbook import paths, training
from lesionbook.tuning import databases, kept, search


def main(folder, epochs):
    paths.cache = lambda: folder / "cache"
    training.begin(seed=1, threads=1)
    real, seen = kept.Listener.epoch, []

    def epoch(self, row):
        real(self, row)
        seen.append(row)
        if len(seen) == epochs:
            os.kill(os.getpid(), signal.SIGKILL)

    kept.Listener.epoch = epoch
    search.run(TPE, task(budget=8), storage=databases.url(folder))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
