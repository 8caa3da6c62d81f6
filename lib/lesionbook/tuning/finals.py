"""Finals of a search: its best settings are trained with the other seeds before one of them is chosen.

A search scores a setting by one training, and the best of many such scores is a lucky one: a setting that fails with
every other seed can win. Sweeps judge by several seeds, and with finals a search does so too.
"""

import json
from collections.abc import Sequence

import pandas as pd

from lesionbook.tuning import runs, sweep
from lesionbook.tuning.sweep import Run


def reserve(epochs: int, *, finalists: int, seeds: int) -> int:
    """Epochs that a search leaves to the finals, so that both together cost no more than the search alone would.

    Parameters
    ----------
    epochs : int
        Of a training that nothing stops.
    finalists : int
        Settings that the search sends. It has trained each with its own seed; the other ones are still to come.
    seeds : int
        Of the finals, and searches of each way.
    """
    return finalists * (seeds - 1) * epochs


def entrants(found: pd.DataFrame, finalists: int, *, falling: bool) -> pd.DataFrame:
    """Take the best complete trials of each search.

    From each, since a search looks for what is good with its own seed: those of one lucky seed would take all places.

    Parameters
    ----------
    found : DataFrame
        From `lesionbook.tuning.search.run_all`.
    finalists : int
        At most so many of each way and seed; the earlier one at a tie.
    falling : bool
        Whether less is better.

    Returns
    -------
    DataFrame
        Rows of `found`, the best first, each setting once.
    """
    ranked = found[found["state"] == runs.COMPLETE].sort_values("score", ascending=falling, kind="stable")
    settings = ranked["changes"].map(lambda changes: json.dumps(changes, sort_keys=True))
    first = ~settings.to_frame().assign(search=ranked["search"], seed=ranked["seed"]).duplicated()
    sent = ranked[first].groupby(["search", "seed"], sort=False).head(finalists)
    return sent[~settings[sent.index].duplicated()].reset_index(drop=True)


def judged(frame: pd.DataFrame, entered: pd.DataFrame) -> pd.DataFrame:
    """Leave out the training that brought a setting to the finals: its score was picked for being high.

    Parameters
    ----------
    frame : DataFrame
        From `lesionbook.tuning.sweep.table`, the settings in the order of `entered`.
    entered : DataFrame
        From `entrants`.

    Returns
    -------
    DataFrame
        Of the same columns; all of `frame` where there is one seed only.
    """
    own = frame["seed"].to_numpy() == entered["seed"].to_numpy()[frame["position"]]
    return frame if own.all() else frame[~own]


def cost(done: Sequence[Run], entered: pd.DataFrame) -> dict[str, float]:
    """What the finals took beyond the trainings of the search; as `lesionbook.tuning.sweep.cost` counts it."""
    return sweep.cost([run for run in done if run.seed != entered["seed"].iloc[run.position]])
