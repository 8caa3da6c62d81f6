"""The trials of searches as tables: what was tried, what came of it, what it took and which knobs mattered."""

import warnings
from collections.abc import Mapping, Sequence

import numpy as np
import optuna
import pandas as pd
from optuna.trial import FrozenTrial, TrialState

from lesionbook import tables
from lesionbook.recipes import Range, Search
from lesionbook.tuning import runs, space
from lesionbook.tuning.space import Space

STARTUP = 6  # trials that TPE draws at random, and that are not pruned, before it has something to go by
FACTS = ["parameters", "multiply_adds", "images"]
COLUMNS = ["number", "state", "reason", "epochs", "spent", "score", *FACTS, "changes"]


def counted(study: optuna.Study) -> list[FrozenTrial]:
    """Trials but those whose process died: they left no state of their own."""
    found = study.get_trials(deepcopy=False)
    return [trial for trial in found if trial.state != TrialState.FAIL or "state" in trial.user_attrs]


def spent(study: optuna.Study, whole: int) -> int:
    """Epochs that were trained; a trial under way counts as a `whole` training.

    A trial counts as one epoch at least, so that a search all of whose trials fail comes to an end as well.
    """
    under_way = {"epochs": whole}
    notes = [under_way if trial.state == TrialState.RUNNING else trial.user_attrs for trial in counted(study)]
    return sum(max(1, note["epochs"]) for note in notes)


def table(study: optuna.Study, searched: Space, *, falling: bool) -> pd.DataFrame:
    """List the finished trials of a search.

    Parameters
    ----------
    study : optuna.Study
        With the notes that `lesionbook.tuning.search` leaves.
    searched : mapping
        Knob to what may be tried.
    falling : bool
        Whether less is better.

    Returns
    -------
    DataFrame
        A row per trial in the order in which they began: ``number`` (from 1), ``state, reason, epochs, spent`` (epochs
        up to its end), ``score`` (NaN unless complete), ``parameters, multiply_adds, images, changes`` (to the base), a
        column per tried number, and ``best`` (score so far).
    """
    rows = []
    for trial in counted(study):
        if not trial.state.is_finished():
            continue
        notes = trial.user_attrs
        row = {name: notes.get(name, np.nan) for name in ("state", "reason", "epochs", *FACTS)}
        row |= {"number": len(rows) + 1, "spent": max(1, notes["epochs"])}
        row |= {"score": trial.value if trial.state == TrialState.COMPLETE else np.nan}
        rows.append(row | {"changes": space.changes(searched, trial.params)} | trial.params)
    frame = pd.DataFrame(rows, columns=[*COLUMNS, *space.names(searched)])
    so_far = frame["score"].cummin() if falling else frame["score"].cummax()
    return frame.assign(spent=frame["spent"].cumsum(), best=so_far.ffill())


def gathered(found: Mapping[tuple[str, int], pd.DataFrame]) -> pd.DataFrame:
    """Put the trials of several searches below each other, with ``search`` and ``seed``."""
    parts = [frame.assign(search=title, seed=seed) for (title, seed), frame in found.items()]
    return pd.concat(parts, ignore_index=True)


def cost(found: pd.DataFrame) -> dict[str, float]:
    """What searches took, as `lesionbook.tuning.sweep.cost` counts it."""
    adds = (found["epochs"] * found["images"].fillna(0) * found["multiply_adds"].fillna(0)).sum()
    return {"trainings": len(found), "epochs": int(found["epochs"].sum()), "multiply_adds": float(adds)}


def compared(found: pd.DataFrame, *, falling: bool, searches: Sequence[str]) -> pd.DataFrame:
    """What each search found, over its seeds.

    Returns
    -------
    DataFrame
        A row per search: ``search, seeds, trials, complete, pruned, failed, epochs, multiply_adds`` (means over the
        seeds), ``best`` (mean of the best scores), ``low, high`` (smallest and largest of them).
    """
    rows = []
    for title in searches:
        part = found[found["search"] == title]
        by_seed = part.groupby("seed")["score"]
        ends, states = (by_seed.min() if falling else by_seed.max()), part["state"]
        counts = {
            "trials": len(part),
            "complete": (states == runs.COMPLETE).sum(),
            "pruned": (states == runs.PRUNED).sum(),
            "failed": (~states.isin([runs.COMPLETE, runs.PRUNED])).sum(),
            "epochs": part["epochs"].sum(),
            "multiply_adds": cost(part)["multiply_adds"],
        }
        row = {"search": title, "seeds": len(ends)} | {name: count / len(ends) for name, count in counts.items()}
        rows.append(row | {"best": ends.mean(), "low": ends.min(), "high": ends.max()})
    return pd.DataFrame(rows)


def ways(searches: Sequence[Search], allowed: Space) -> pd.DataFrame:
    """List ways to search, for reading."""
    kinds = {"random": "at random", "tpe": f"TPE; the first {STARTUP} at random"}
    pruned = {True: f"below the median of others, once {STARTUP} are complete", False: "no"}
    rows = [
        (one.title, kinds[one.sampler], ", ".join(tables.name(path.rpartition(".")[2]) for path in one.only or allowed))
        for one in searches
    ]
    frame = pd.DataFrame(rows, columns=["search", "draws", "searched"])
    return frame.assign(**{"stops trainings": [pruned[one.pruned] for one in searches]})


def comparison(frame: pd.DataFrame) -> pd.DataFrame:
    """Bring the table of `compared` into words."""
    counts = {name: frame[name].map("{:.4g}".format) for name in ("trials", "complete", "pruned", "failed", "epochs")}
    ranges = [f"{row.best:.3f} ({row.low:.3f}–{row.high:.3f})" for row in frame.itertuples()]
    return pd.DataFrame({"search": frame["search"], **counts, "best: mean (range)": ranges})


def importances(found: pd.DataFrame, ways: Sequence[Search], allowed: Space, *, seed: int) -> pd.DataFrame:
    """Give `importance` for each way to search, all its seeds together: a column each, NaN where it did not look."""
    shares = {}
    for way in ways:
        searched = {path: one for path, one in allowed.items() if path in way.only or not way.only}
        shares[way.title] = importance(found[found["search"] == way.title], searched, seed=seed)
    return pd.DataFrame(shares).reindex(list(space.names(allowed)))


def importance(found: pd.DataFrame, searched: Space, *, seed: int) -> pd.Series:
    """Share of each tried number in the variation of the score.

    By functional analysis of variance on a random forest (Hutter, Hoos and Leyton-Brown, 2014), over complete trials.

    Parameters
    ----------
    found : DataFrame
        From `table`.
    searched : mapping
        Knob to what may be tried.
    seed : int
        Of the forest.

    Returns
    -------
    Series
        Tried number to its share, 0 to 1; NaN where complete trials are fewer than four or all score the same.
    """
    named = space.names(searched)
    whole = found[found["state"] == runs.COMPLETE]
    tried = [name for name in named if whole[name].nunique() > 1]
    if len(whole) < 4 or whole["score"].nunique() < 2 or not tried:
        return pd.Series(np.nan, index=list(named))
    study = optuna.create_study(direction="maximize")
    distributions = {name: distribution(named[name][1]) for name in tried}
    for row in whole[[*tried, "score"]].to_dict("records"):
        values = {name: row[name] if named[name][1].choices else float(row[name]) for name in tried}
        study.add_trial(
            optuna.trial.create_trial(params=values, distributions=distributions, value=float(row["score"]))
        )
    evaluator = optuna.importance.FanovaImportanceEvaluator(seed=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        shares = optuna.importance.get_param_importances(study, evaluator=evaluator, params=tried)
    return pd.Series(shares).reindex(list(named), fill_value=0.0)


def distribution(allowed: Range) -> optuna.distributions.BaseDistribution:
    """Give a range as Optuna writes it."""
    if allowed.choices:
        return optuna.distributions.CategoricalDistribution(allowed.choices)
    if space.whole(allowed):
        return optuna.distributions.IntDistribution(int(allowed.low), int(allowed.high), step=int(allowed.step))
    return optuna.distributions.FloatDistribution(allowed.low, allowed.high, step=allowed.step, log=allowed.log)
