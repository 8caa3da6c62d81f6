"""A sweep: settings that differ in one thing, each trained with several seeds, so that chance can be seen too."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from scipy.stats import studentized_range

from lesionbook import fitting, metrics, predictions, rates
from lesionbook.errors import LesionbookError
from lesionbook.tuning import runs, side_by_side
from lesionbook.tuning.runs import Bench, Outcome
from lesionbook.tuning.settings import Setting

SCORES = list(fitting.SCORES)
EPOCH = ["loss", "accuracy"]


@dataclass(frozen=True)
class Run:
    """A run of a sweep: the position of its setting, its seed and what became of it."""

    position: int
    seed: int
    setting: Setting
    outcome: Outcome


def train(
    settings: Sequence[Setting],
    bench: Bench,
    *,
    seed: int,
    seeds: int,
    workers: int = 1,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Run]:
    """Train every setting with every seed.

    Parameters
    ----------
    settings : sequence of Setting
        In the order of the study file.
    bench : Bench
        Images and places.
    seed, seeds : int
        The seeds are `seed`, `seed` + 1, …, as many as `seeds`: the same for every setting.
    workers : int
        Processes that train side by side; the results are the same.
    progress : callable
        Told how many runs of all are done.

    Returns
    -------
    list of Run
        By setting, then by seed. Failed ones are among them.

    Raises
    ------
    LesionbookError
        If no run at all came to its end.
    """
    done: list[Run] = []
    planned = [(position, number) for position in range(len(settings)) for number in range(seed, seed + seeds)]
    for run in side_by_side.each(partial(_train, settings), planned, bench, workers=workers):
        done.append(run)
        progress(len(done), len(planned))
    if not any(run.outcome.state == runs.COMPLETE for run in done):
        first = done[0].outcome
        raise LesionbookError(f"No training came to its end; the first one: {first.state}, {first.reason}")
    return done


def _train(settings: Sequence[Setting], planned: tuple[int, int], bench: Bench) -> Run:
    position, seed = planned
    return Run(position, seed, settings[position], runs.attempt(settings[position], bench, seed=seed))


def best_epoch(history: pd.DataFrame, setting: Setting) -> pd.Series:
    """The epoch whose weights were kept: the best one of the last phase."""
    recipe = setting.fine_tuning or setting.recipe
    last = history[history["phase"] == history["phase"].max()]
    return last.iloc[rates.best_epoch(last[recipe.monitor], recipe.monitor, recipe.min_delta)]


def monitored(setting: Setting) -> str:
    """The validation score that chooses: the epoch within a run, and the setting among runs."""
    return (setting.fine_tuning or setting.recipe).monitor


def table(done: Sequence[Run]) -> pd.DataFrame:
    """List runs with their scores.

    Returns
    -------
    DataFrame
        A row per run: ``position, seed, state, reason, epochs, best`` (epoch), ``loss, accuracy`` (training, of the
        best epoch), the scores of `fitting.SCORES` on all validation images, ``own_images`` and ``own_accuracy`` (the
        images that chose the epoch, where the setting takes some of them), ``parameters, multiply_adds, images,
        steps``. NaN where a run did not come to its end.
    """
    return pd.DataFrame([_row(run) for run in done])


def _row(run: Run) -> dict[str, object]:
    outcome = run.outcome
    row = {"position": run.position, "seed": run.seed, "state": outcome.state, "reason": outcome.reason}
    row["epochs"] = len(outcome.history)
    row |= dict.fromkeys(["best", *EPOCH, *SCORES, "own_images", "own_accuracy"], np.nan)
    if outcome.state == runs.COMPLETE:
        best = best_epoch(outcome.history, run.setting)
        scores = metrics.scores(outcome.answers)
        own = outcome.answers[outcome.answers["image_id"].isin(outcome.chosen)]
        row |= {"best": best["epoch"]} | {name: best[name] for name in EPOCH}
        row |= {name: scores[score] for name, score in fitting.SCORES.items()}
        row |= {"own_images": len(own), "own_accuracy": (predictions.predicted(own) == own["label"]).mean()}
    return row | {name: outcome.facts.get(name, np.nan) for name in ("parameters", "multiply_adds", "images", "steps")}


def summary(frame: pd.DataFrame, score: str) -> pd.DataFrame:
    """Gather the seeds of each setting.

    Parameters
    ----------
    frame : DataFrame
        From `table`.
    score : str
        Which column is spread out.

    Returns
    -------
    DataFrame
        Index ``position``: ``runs`` and ``complete`` (how many of them), ``mean, sd, low, high`` of the score over the
        complete ones (`sd` is NaN for one), and the means of the other columns.
    """
    by_setting = frame.groupby("position")
    found = by_setting[score].agg(mean="mean", sd="std", low="min", high="max")
    found.insert(0, "complete", by_setting["state"].agg(lambda states: int((states == runs.COMPLETE).sum())))
    found.insert(0, "runs", by_setting.size())
    numbers = frame.drop(columns="seed").groupby("position").mean(numeric_only=True)
    return found.join(numbers)


def choose(frame: pd.DataFrame, score: str) -> int:
    """Position of the setting with the best mean score of validation, among those whose runs failed least often.

    The first one wins a tie.
    """
    gathered = summary(frame, score)
    means = gathered[gathered["complete"] == gathered["complete"].max()]["mean"]
    return int(means.idxmin() if score.endswith("loss") else means.idxmax())


@dataclass(frozen=True)
class Spread:
    """How much seeds alone move a score.

    Attributes
    ----------
    sd : float
        Standard deviation between seeds of one setting, pooled over the settings.
    difference : float
        By how much the means of two settings must differ before seeds alone do not explain it: Tukey's honestly
        significant difference at 5 % for all pairs together (Tukey, 1949; Kramer, 1956, with the harmonic mean of the
        numbers of seeds). NaN with one seed or one setting.
    """

    sd: float
    difference: float


def spread(gathered: pd.DataFrame) -> Spread:
    """Tell how much chance moves the means of `summary`.

    The validation images are the same for all; what another choice of them would change is not in these numbers.
    """
    several = gathered[gathered["complete"] > 1]
    freedom = int((several["complete"] - 1).sum())
    if freedom == 0:
        return Spread(float("nan"), float("nan"))
    sd = float(np.sqrt((several["sd"] ** 2 * (several["complete"] - 1)).sum() / freedom))
    if len(several) < 2:
        return Spread(sd, float("nan"))
    each = len(several) / (1 / several["complete"]).sum()
    return Spread(sd, float(studentized_range.ppf(0.95, len(several), freedom) * sd / np.sqrt(each)))


def cost(done: Sequence[Run]) -> dict[str, float]:
    """What runs took: ``trainings``, ``epochs``, and ``multiply_adds`` of their training images on the way forward."""
    each = [(len(run.outcome.history), run.outcome.facts) for run in done]
    adds = sum(epochs * facts.get("images", 0) * facts.get("multiply_adds", 0) for epochs, facts in each)
    return {"trainings": len(each), "epochs": sum(epochs for epochs, _ in each), "multiply_adds": float(adds)}


def total(costs: Sequence[dict[str, float]]) -> dict[str, float]:
    """Add the costs of several sweeps."""
    return {name: sum(cost[name] for cost in costs) for name in ("trainings", "epochs", "multiply_adds")}


def times(done: Sequence[Run]) -> pd.DataFrame:
    """Measured seconds of each epoch, for a file that no report shows: they differ between machines and runs."""
    rows = [
        (run.position, run.seed, epoch, seconds)
        for run in done
        for epoch, seconds in enumerate(run.outcome.seconds, start=1)
    ]
    return pd.DataFrame(rows, columns=["position", "seed", "epoch", "seconds"])
