"""The same model trained again with other seeds: how far its scores move without any change of data or settings.

An interval over test images says nothing of this. The spread over a few seeds is no interval either; it is shown as it
is (X. Bouthillier et al., "Accounting for variance in machine learning benchmarks", MLSys 2021).
"""

from collections.abc import Mapping

import pandas as pd

from lesionbook import metrics, predictions, statistics
from lesionbook.run import Run

SHOWN = ["accuracy", "balanced_accuracy", "macro_auc"]


def read(run: Run, titles: Mapping[str, str], split: str = "test") -> dict[str, dict[int, pd.DataFrame]]:
    """Read what every training of the models answered.

    Parameters
    ----------
    run : Run
    titles : mapping
        Experiment to the name of its model.
    split : str
        ``val`` or ``test``.

    Returns
    -------
    dict
        Name of the model to its seeds, the first one first, each with its prediction table.
    """
    found = {}
    for name, title in titles.items():
        trainings = {run.settings.seed_of(name): name} | run.settings.again(name)
        found[title] = {
            seed: predictions.read(run.result(one, "predictions.csv"), split=split) for seed, one in trainings.items()
        }
    return found


def scores(frames: Mapping[str, Mapping[int, pd.DataFrame]]) -> pd.DataFrame:
    """Score every training of the models that were trained more than once.

    Parameters
    ----------
    frames : mapping
        Model to its seeds, the first one first, each with its prediction table of one split.

    Returns
    -------
    DataFrame
        ``model, seed, score`` (accuracy, balanced_accuracy, macro_auc), ``estimate``; no row for a model with one seed.

    Raises
    ------
    LesionbookError
        If two trainings of a model were not tested on the same images.
    """
    rows = []
    for model, by_seed in frames.items():
        if len(by_seed) > 1:
            statistics.same_images({f"{model}, seed {seed}": frame for seed, frame in by_seed.items()})
            found = {seed: metrics.scores(frame) for seed, frame in by_seed.items()}
            rows += [(model, seed, score, one[score]) for seed, one in found.items() for score in SHOWN]
    return pd.DataFrame(rows, columns=["model", "seed", "score", "estimate"])


def spread(table: pd.DataFrame) -> pd.DataFrame:
    """Gather `scores` over the seeds: ``model, score``, ``seeds`` (how many), ``mean``, ``low, high`` (extremes)."""
    grouped = table.groupby(["model", "score"], sort=False)["estimate"]
    return grouped.agg(seeds="size", mean="mean", low="min", high="max").reset_index()


def further(table: pd.DataFrame) -> pd.DataFrame:
    """Rows of `scores` but those of each model's first seed."""
    return table[table["seed"] != table.groupby("model")["seed"].transform("first")]
