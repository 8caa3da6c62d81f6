"""One more worker for a search: ``python -m lesionbook.tuning.worker STUDY PROFILE STEP``, on any machine.

It trains trials of a search until its budget is spent and leaves them in the database that the study file names under
``storage``; the notebook reads them from there and makes the report. The images must have been prepared there as well.
"""

import argparse
import os
import sys

from lesionbook import params, paths, run, training
from lesionbook.errors import LesionbookError
from lesionbook.images import Store
from lesionbook.tuning import budgets, finals, search, settings
from lesionbook.tuning.runs import Bench


def work(study: str, profile: str, step: str) -> int:
    """Take part in a search; gives the number of trials that stand in its database in the end.

    Raises
    ------
    LesionbookError
        If the step is no search, or its study file names no storage to share.
    """
    loaded = params.check(study, profile)
    settings.check(loaded)
    if step not in loaded.searches:
        raise LesionbookError(f"{step!r} is no search of params/{study}.yml{params.meant(step, loaded.searches)}.")
    experiment = loaded.experiments[step]
    given = experiment.parameters.model_dump(mode="json", exclude_unset=True)
    knobs = settings.checked(params.defaults(paths.notebook(experiment.notebook)) | given)
    if not knobs.storage:
        raise LesionbookError(f"params/{study}.yml: experiments.{step}: name a database under storage to share it.")
    training.begin(seed=loaded.seed, threads=experiment.threads, precision=knobs.precision, devices=knobs.devices)
    prepared = paths.step(profile, study, params.SECOND)
    store = Store.open(prepared, run.Run(study, profile, step, loaded, prepared).classes)
    digest = run.read_json(prepared / "summary.json")["images_sha256"]
    bench = Bench(store, digest, study, profile, owner=f"{step}-{os.getpid()}")
    apply = settings.varying(loaded, knobs.base, knobs.fixed)
    kept = finals.reserve(apply().epochs, finalists=knobs.finalists, seeds=knobs.seeds)
    epochs = budgets.epochs(profile, study, knobs.sweeps, knobs.budget) - kept
    task = search.Task(apply, knobs.space, bench, epochs, loaded.seed)
    return len(search.run_all(knobs.searches, task, seeds=knobs.seeds, storage=knobs.storage, shared=True))


def main() -> None:
    """Run one worker; a failure is one sentence on the error stream and a non-zero exit."""
    parser = argparse.ArgumentParser(
        prog="python -m lesionbook.tuning.worker", description="One more worker for a search."
    )
    for name in ("study", "profile", "step"):
        parser.add_argument(name)
    given = parser.parse_args()
    try:
        print(f"{work(given.study, given.profile, given.step)} trials")
    except LesionbookError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
