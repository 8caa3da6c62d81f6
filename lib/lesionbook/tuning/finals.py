"""Finals of a search: the best settings of each search are trained with several seeds before one of them is chosen.

A search scores a setting by one training, and the best of many such scores is a lucky one: a setting that fails with
every other seed can win. Sweeps judge by several seeds, and with finals a search does so too.
"""

import json

import pandas as pd

from lesionbook.tuning import runs


def reserve(epochs: int, *, finalists: int, seeds: int) -> int:
    """Epochs that a search leaves to the finals, so that both together cost no more than the search alone would.

    Parameters
    ----------
    epochs : int
        Of a training that nothing stops.
    finalists : int
        Settings that the search sends.
    seeds : int
        Trainings of each.
    """
    return finalists * seeds * epochs


def entrants(found: pd.DataFrame, finalists: int, *, falling: bool) -> pd.DataFrame:
    """Take the best complete trials of each search.

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
    ranked = ranked.assign(setting=ranked["changes"].map(lambda changes: json.dumps(changes, sort_keys=True)))
    sent = ranked.drop_duplicates(["search", "seed", "setting"]).groupby(["search", "seed"], sort=False).head(finalists)
    return sent.drop_duplicates("setting").drop(columns="setting").reset_index(drop=True)
