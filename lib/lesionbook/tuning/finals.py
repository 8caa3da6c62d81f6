"""Finals of a search: its best settings are trained with every seed before one of them is chosen.

A search scores a setting by one training, and the best of many such scores is a lucky one: a setting that fails with
every other seed can win. Sweeps judge by all seeds, and with finals a search does so too.
"""

import json
from collections.abc import Sequence

import pandas as pd

from lesionbook.tuning import runs, sweep
from lesionbook.tuning.sweep import Run


def reserve(epochs: int, *, finalists: int, seeds: int, searches: int) -> int:
    """Epochs that each search leaves to the finals, so that both together cost no more than the search alone would.

    Parameters
    ----------
    epochs : int
        Of a training that nothing stops.
    finalists : int
        Settings in the finals. A search has trained each with one seed; the other seeds are still to be trained.
    seeds : int
        Of the finals, and searches of each way.
    searches : int
        Ways to search, which share the finals.
    """
    return -(-finalists * (seeds - 1) * epochs // (searches * seeds))


def entrants(found: pd.DataFrame, finalists: int, *, falling: bool) -> pd.DataFrame:
    """Take the best complete trials of all searches, each setting once: the best first, the earlier one at a tie.

    Parameters
    ----------
    found : DataFrame
        From `lesionbook.tuning.search.run_all`.
    finalists : int
        At most so many.
    falling : bool
        Whether less is better.
    """
    ranked = found[found["state"] == runs.COMPLETE].sort_values("score", ascending=falling, kind="stable")
    settings = ranked["changes"].map(lambda changes: json.dumps(changes, sort_keys=True))
    return ranked[~settings.duplicated()].head(finalists).reset_index(drop=True)


def cost(done: Sequence[Run], entered: pd.DataFrame) -> dict[str, float]:
    """What the finals took beyond the trainings of the search; as `lesionbook.tuning.sweep.cost` counts it."""
    return sweep.cost([run for run in done if run.seed != entered["seed"].iloc[run.position]])
