"""Searches over several knobs at once: random, or by what was learned so far (TPE), kept in a database on disk.

A search goes on where it stopped: its trials are in the database, its trainings in the folder of runs, and each draw of
the sampler depends on the seed and on the trials before it alone. So one worker finds the same however often it was
killed; several workers, who draw from what the others have finished by then, do not find the same twice.

Each trial is trained with another seed. With the same one for all, a search would find what is good with this seed, and
its sampler would learn it (Bouthillier and others, "Accounting for variance in machine learning benchmarks", 2021).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import optuna
import pandas as pd
from optuna.trial import TrialState

from lesionbook import dependencies
from lesionbook.errors import LesionbookError
from lesionbook.recipes import Search
from lesionbook.tuning import databases, runs, side_by_side, space, sweep, trials
from lesionbook.tuning.runs import Bench
from lesionbook.tuning.settings import Setting
from lesionbook.tuning.space import Space

GIVEN_UP = 2  # a setting at which the process died so often is not tried again

optuna.logging.set_verbosity(optuna.logging.ERROR)


class _Failed(Exception):
    """Ends a trial as failed; what happened stands in the trial."""


@dataclass(frozen=True)
class Task:
    """What is searched.

    Attributes
    ----------
    apply : callable
        From changes to a setting: `lesionbook.tuning.settings.varying`.
    space : mapping
        Knob to what may be tried.
    bench : Bench
        Images and places.
    budget : int
        Epochs that may be trained; a trial begins only if they would pay for all its epochs.
    seed : int
        Of the sampler and of the trainings: each trial is trained with a seed of its own that follows from it.
    """

    apply: Callable[[Mapping[str, Any]], Setting]
    space: Space
    bench: Bench
    budget: int
    seed: int

    @property
    def score(self) -> str:
        """What is searched for: the validation score that chooses the epoch, at the best epoch."""
        return sweep.monitored(self.apply({}))

    @property
    def falling(self) -> bool:
        """Whether less is better."""
        return self.score.endswith("loss")

    @property
    def whole(self) -> int:
        """Epochs of a training that nothing stops."""
        return self.apply({}).epochs


def run(
    search: Search,
    task: Task,
    *,
    storage: str,
    shared: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> pd.DataFrame:
    """Search until the budget is spent, going on with what the database holds.

    Parameters
    ----------
    search : Search
        How the next setting is drawn, over which knobs, and whether trainings that lag behind are stopped: those whose
        best score so far is below the median of what others had at the same epoch.
    task : Task
        What is searched.
    storage : str
        URL of the database, as SQLAlchemy reads it.
    shared : bool
        Whether other workers use the same database at the same time. If not, a trial that is under way in it is one
        that a killed process left.
    progress : callable
        Told the epochs spent and the budget.

    Returns
    -------
    DataFrame
        From `lesionbook.tuning.trials.table`.

    Raises
    ------
    LesionbookError
        If no trial came to its end.

    Notes
    -----
    TPE, the tree-structured Parzen estimator, is that of Bergstra and others ("Algorithms for hyper-parameter
    optimization", 2011) in the version of Optuna. The pruner is the median rule of Golovin and others ("Google Vizier",
    2017).
    """
    searched = {path: allowed for path, allowed in task.space.items() if path in search.only or not search.only}
    study = optuna.create_study(
        storage=databases.opened(storage, shared=shared),
        study_name=_name(search, searched, task),
        direction="minimize" if task.falling else "maximize",
        pruner=_pruner(search, task),
        load_if_exists=True,
    )
    if not shared:
        for left in study.get_trials(states=(TrialState.RUNNING,)):
            study.tell(left.number, state=TrialState.FAIL)
    while trials.spent(study, task.whole) + task.whole <= task.budget:
        drawn, trained = _seeds(task.seed, len(trials.counted(study)))
        study.sampler = _sampler(search, drawn)
        objective = partial(_objective, searched=searched, task=task, seed=trained)
        study.optimize(objective, n_trials=1, catch=(_Failed,))
        progress(trials.spent(study, task.whole), task.budget)
    found = trials.table(study, searched, falling=task.falling)
    if not (found["state"] == runs.COMPLETE).any():
        first = "its budget pays for none" if found.empty else f"{found['state'][0]}, {found['reason'][0]}"
        raise LesionbookError(f"The search {search.title!r} has no trial that came to its end; the first one: {first}.")
    return found


def run_all(
    searches: Sequence[Search],
    task: Task,
    *,
    seeds: int,
    storage: str,
    shared: bool,
    workers: int = 1,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> pd.DataFrame:
    """Search in several ways with several seeds, from that of the task upwards, each with the whole budget.

    Parameters
    ----------
    searches, task, storage, shared
        As for `run`.
    seeds : int
        Searches of each way.
    workers : int
        Processes that search side by side, each for itself: the results are the same.
    progress : callable
        Told the epochs spent and the budget, by the search under way; with several workers, how many searches are done.

    Returns
    -------
    DataFrame
        Trials of all, with ``search`` and ``seed``; otherwise as `run`.
    """
    planned = [(one, seed) for one in searches for seed in range(task.seed, task.seed + seeds)]
    if workers > 1:
        databases.opened(storage, shared=shared)  # two that make its tables at once are in each other's way
    told = progress if workers == 1 else None
    search = partial(_run, task=replace(task, bench=None), storage=storage, shared=shared, progress=told)
    found = {}
    for (one, seed), table in zip(
        planned, side_by_side.each(search, planned, task.bench, workers=workers), strict=True
    ):
        found[one.title, seed] = table
        if workers > 1:
            progress(len(found), len(planned))
    return trials.gathered(found)


def _run(planned: tuple[Search, int], bench: Bench, *, task: Task, progress: Any, **options: Any) -> pd.DataFrame:
    one, seed = planned
    told = {"progress": progress} if progress else {}
    return run(one, replace(task, seed=seed, bench=bench), **options, **told)


def _name(search: Search, searched: Space, task: Task) -> str:
    """Name in the database: another one wherever an old trial would not be what a new one is; any budget goes on."""
    decisive = [
        search.model_dump(exclude={"title"}),
        {path: allowed.model_dump() for path, allowed in searched.items()},
        runs.fingerprint(task.apply({}), task.bench, seed=task.seed),
    ]
    return dependencies.fingerprint(modules=("lesionbook.tuning.search",), packages=("optuna",), values=decisive)


def _pruner(search: Search, task: Task) -> optuna.pruners.BasePruner:
    if not search.pruned:
        return optuna.pruners.NopPruner()
    return optuna.pruners.MedianPruner(n_startup_trials=trials.STARTUP, n_warmup_steps=task.whole // 5)


def _seeds(seed: int, number: int) -> tuple[int, int]:
    """Seeds of the draw and of the training of a trial: by its number, not by what this process drew before."""
    drawn, trained = np.random.SeedSequence([seed, number]).generate_state(2)
    return int(drawn), int(trained)


def _sampler(search: Search, seed: int) -> optuna.samplers.BaseSampler:
    if search.sampler == "random":
        return optuna.samplers.RandomSampler(seed=seed)
    return optuna.samplers.TPESampler(seed=seed, n_startup_trials=trials.STARTUP)


def _suggest(trial: optuna.Trial, searched: Space) -> None:
    for name, (_, allowed) in space.names(searched).items():
        if allowed.choices:
            trial.suggest_categorical(name, allowed.choices)
        elif space.whole(allowed):
            trial.suggest_int(name, int(allowed.low), int(allowed.high), step=int(allowed.step))
        else:
            trial.suggest_float(name, allowed.low, allowed.high, step=allowed.step, log=allowed.log)


def _objective(trial: optuna.Trial, searched: Space, task: Task, seed: int) -> float:
    """Train what was drawn; the score of its best epoch."""
    _suggest(trial, searched)
    died = [
        other
        for other in trial.study.get_trials(deepcopy=False, states=(TrialState.FAIL,))
        if "state" not in other.user_attrs and other.params == trial.params
    ]
    if len(died) >= GIVEN_UP:
        _note(trial, runs.Outcome(runs.MEMORY, "the process died at it twice, most often for lack of memory"))
        raise _Failed
    scores: list[float] = []

    def watch(row: pd.Series) -> None:
        scores.append(float(row[task.score]))
        trial.report(min(scores) if task.falling else max(scores), len(scores))
        if trial.should_prune():
            raise runs.Stopped(f"behind the median after epoch {len(scores)}")

    setting = task.apply(space.changes(searched, trial.params))
    outcome = runs.attempt(setting, task.bench, seed=seed, on_epoch=watch)
    _note(trial, outcome)
    if outcome.state == runs.PRUNED:
        raise optuna.TrialPruned
    if outcome.state != runs.COMPLETE:
        raise _Failed
    return float(sweep.best_epoch(outcome.history, setting)[task.score])


def _note(trial: optuna.Trial, outcome: runs.Outcome) -> None:
    """Write into the database what became of a trial; the state last, since it says that the rest is there."""
    notes = {"epochs": len(outcome.history), "reason": outcome.reason, **outcome.facts, "state": outcome.state}
    for name, value in notes.items():
        trial.set_user_attr(name, value)
