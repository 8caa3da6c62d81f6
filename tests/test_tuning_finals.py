import numpy as np
import pandas as pd
from small_tuning import SPACE, applied, bench, pretended

from lesionbook.recipes import Search
from lesionbook.tuning import databases, finals, runs, search, sweep
from lesionbook.tuning.search import Task


def trial(search, seed, number, score, filters, state=runs.COMPLETE):
    return {"search": search, "seed": seed, "number": number, "score": score, "state": state} | {
        "changes": {"filters": filters}
    }


FOUND = pd.DataFrame(
    [
        trial("random", 5, 1, 0.70, [1, 1, 1]),
        trial("random", 5, 2, 0.90, [2, 1, 1]),
        trial("random", 6, 1, np.nan, [3, 3, 3], runs.DIVERGED),
        trial("random", 6, 2, 0.80, [2, 2, 1]),
        trial("TPE", 5, 1, 0.90, [2, 1, 1]),  # what random has found as well
        trial("TPE", 6, 1, 0.80, [1, 2, 2]),
    ]
)


def filters(entered):
    return [changes["filters"] for changes in entered["changes"]]


def test_each_search_sends_its_best_settings_and_none_enters_twice():
    assert filters(finals.entrants(FOUND, 1, falling=False)) == [[2, 1, 1], [2, 2, 1], [1, 2, 2]]
    entered = finals.entrants(FOUND, 2, falling=False)
    assert filters(entered) == [[2, 1, 1], [2, 2, 1], [1, 2, 2], [1, 1, 1]]
    assert entered[["search", "seed", "number"]].iloc[0].tolist() == ["random", 5, 2]  # the earlier one at a tie


def test_a_setting_that_a_search_tried_twice_takes_one_of_its_places():
    twice = pd.DataFrame([trial("random", 5, number, 0.9, [2, 2, 2]) for number in (1, 2)])
    entered = finals.entrants(pd.concat([twice, FOUND], ignore_index=True), 2, falling=False)
    assert [4, 4, 4] not in filters(entered)
    assert entered.loc[entered["seed"] == 5, "number"].tolist() == [1, 2]
    assert filters(entered)[:2] == [[2, 2, 2], [2, 1, 1]]


def test_where_less_is_better_the_lowest_enter_and_no_failed_one_fills_a_place():
    assert filters(finals.entrants(FOUND, 9, falling=True)) == [[1, 1, 1], [2, 2, 1], [1, 2, 2], [2, 1, 1]]


def test_search_and_finals_cost_no_more_than_the_search_alone_would(monkeypatch, tmp_path):
    monkeypatch.setattr(runs, "attempt", pretended)
    monkeypatch.setattr(runs, "fingerprint", lambda setting, bench, seed: f"same {seed}")
    ways = [Search(title="all", sampler="random"), Search(title="widths", sampler="random", only=("filters",))]
    budget, seeds = 30, 3
    kept = finals.reserve(applied().epochs, finalists=2, seeds=seeds)
    task = Task(applied, SPACE, bench(), budget - kept, 5)
    found = search.run_all(ways, task, seeds=seeds, storage=databases.url(tmp_path), shared=False)
    entered = finals.entrants(found, 2, falling=False)
    done = [
        sweep.Run(place, seed, applied(change), pretended(applied(change), None, seed=seed))
        for place, change in enumerate(entered["changes"])
        for seed in range(5, 5 + seeds)
    ]
    whole = found["epochs"].clip(lower=1).sum() + sweep.cost(done)["epochs"]  # what diverges at once counts as an epoch
    assert (budget - 4) * len(ways) * seeds < whole <= budget * len(ways) * seeds  # two may send the same setting
