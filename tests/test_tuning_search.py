import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from small_tuning import RANDOM, SPACE, TPE, made_trials, pretended, setting, task

from lesionbook import fitting, paths, training
from lesionbook.errors import LesionbookError
from lesionbook.recipes import Range
from lesionbook.tuning import databases, runs, search, trials

HERE = Path(__file__).resolve().parent


@pytest.fixture
def quick(monkeypatch):
    """Trials that are not trained."""
    monkeypatch.setattr(runs, "attempt", pretended)
    monkeypatch.setattr(runs, "fingerprint", lambda setting, bench, seed: f"same {seed}")


def found(folder, budget=40, way=TPE, **options):
    return search.run(way, task(budget, **options), storage=databases.url(folder))


def test_states_of_all_kinds_are_told_apart_and_paid_for(quick, tmp_path):
    told = []
    way = RANDOM.model_copy(update={"only": (), "pruned": True})
    table = search.run(way, task(60), storage=databases.url(tmp_path), progress=lambda *step: told.append(step))
    assert {runs.COMPLETE, runs.PRUNED, runs.DIVERGED} == set(table["state"])
    assert table["score"].isna().equals(table["state"] != runs.COMPLETE)
    assert table["spent"].iloc[-1] == table["epochs"].clip(lower=1).sum() == told[-1][0]
    assert 58 < table["spent"].iloc[-1] <= 60  # a trial begins only if it can be paid for
    assert table["best"].iloc[-1] == table["score"].max()
    assert (table.loc[table["state"] == runs.PRUNED, "reason"].str.startswith("behind the median")).all()
    assert (table["state"].iloc[: trials.STARTUP] != runs.PRUNED).all()


def test_a_search_finds_better_settings_than_its_beginning(quick, tmp_path):
    table = found(tmp_path, 120)
    assert table["best"].iloc[-1] > table["best"].iloc[trials.STARTUP]


def test_the_same_search_is_the_same_and_other_seeds_are_others(quick, tmp_path):
    first = found(tmp_path)
    other = tmp_path / "other"
    other.mkdir()
    pd.testing.assert_frame_equal(first, found(other))
    assert not first["filters 1"].equals(found(other, seed=6)["filters 1"])


@pytest.mark.parametrize("way", [TPE, RANDOM])
def test_stopping_between_trials_changes_nothing(quick, tmp_path, way):
    whole = found(tmp_path, 30, way)
    parts = tmp_path / "parts"
    parts.mkdir()
    for budget in (4, 5, 17, 30):
        resumed = found(parts, budget, way)
    pd.testing.assert_frame_equal(whole, resumed)


def test_every_trial_is_trained_with_a_seed_of_its_own(quick, tmp_path, monkeypatch):
    seeds = []

    def attempt(setting, bench, *, seed, on_epoch):
        seeds.append(seed)
        return pretended(setting, bench, seed=seed, on_epoch=on_epoch)

    monkeypatch.setattr(runs, "attempt", attempt)
    for seed in (5, 6, 7):
        found(tmp_path, 20, RANDOM, seed=seed)
    assert len(seeds) == len(set(seeds)) == 30
    assert not set(seeds) & {5, 6, 7}  # those of the finals


def test_only_some_knobs_are_searched(quick, tmp_path):
    table = found(tmp_path, way=RANDOM)
    assert "alpha" not in table
    assert table["changes"].map(lambda change: list(change) == ["filters"]).all()


def test_another_space_or_base_is_another_search(quick, tmp_path, monkeypatch):
    found(tmp_path, 6)
    assert len(found(tmp_path, 4, space=SPACE | {"alpha": Range(choices=(0.1, 0.2))})) < 4
    monkeypatch.setattr(runs, "fingerprint", lambda setting, bench, seed: f"other {seed}")
    assert len(found(tmp_path, 4)) == 2


def test_a_killed_search_goes_on_to_the_same_trials(tmp_path, monkeypatch):
    """SIGKILL in the second epoch of the third trial."""
    folders = [tmp_path / name for name in ("killed", "whole")]
    for folder in folders:
        folder.mkdir()
    died = subprocess.run([sys.executable, HERE / "killed_search.py", folders[0], "6"], capture_output=True, cwd=HERE)
    assert died.returncode == -signal.SIGKILL, died.stderr.decode()
    training.begin(seed=1, threads=1)
    tables = []
    for folder in folders:
        monkeypatch.setattr(paths, "cache", lambda folder=folder: folder / "cache")
        kept = len(list((folder / "cache").glob("run-*"))) if folder == folders[0] else 0
        tables.append(found(folder, 8))
        assert kept in (0, 3)  # two finished and one under way
    pd.testing.assert_frame_equal(*tables)
    assert len(tables[0]) == 4


def test_a_setting_at_which_the_process_died_twice_is_given_up(quick, tmp_path, monkeypatch):
    def die(setting, *args, **keywords):
        raise KeyboardInterrupt

    for _ in range(2):
        with monkeypatch.context() as patch:
            patch.setattr(runs, "attempt", die)
            with pytest.raises(KeyboardInterrupt):
                found(tmp_path, 20)
    table = found(tmp_path, 20)
    assert table["state"].iloc[0] == runs.MEMORY
    assert "died at it twice" in table["reason"].iloc[0]
    assert (table["state"].iloc[1:] == runs.COMPLETE).any()


def test_memory_that_runs_out_does_not_end_a_search(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "cache", lambda: tmp_path / "cache")
    training.begin(seed=1, threads=1)
    fit, calls = fitting.fit, []

    def sometimes(*args, **keywords):
        calls.append(1)
        if len(calls) == 1:
            raise MemoryError("no room")
        return fit(*args, **keywords)

    monkeypatch.setattr(fitting, "fit", sometimes)
    assert found(tmp_path, 4)["state"].tolist() == [runs.MEMORY, runs.COMPLETE]


def test_a_search_of_failures_ends_and_says_why(quick, tmp_path):
    wild = {"recipe.learning_rate": Range(low=0.05, high=0.1)}
    with pytest.raises(LesionbookError, match=r"'TPE' has no trial that came to its end; the first one: diverged"):
        found(tmp_path, 5, space=wild)
    with pytest.raises(LesionbookError, match="its budget pays for none"):
        found(tmp_path, 1, seed=9)


def test_workers_share_a_database_and_its_budget(quick, tmp_path):
    url = databases.url(tmp_path)
    search.run(TPE, task(2), storage=url, shared=True)  # makes the tables
    with ThreadPoolExecutor(3) as workers:
        done = [workers.submit(search.run, TPE, task(60), storage=url, shared=True) for _ in range(3)]
        lengths = [len(one.result()) for one in done]
    table = search.run(TPE, task(60), storage=url, shared=True)
    assert len(table) == max(lengths)
    assert table["spent"].iloc[-1] <= 60 + 3 * 2
    assert table["number"].is_unique


def test_several_ways_and_seeds_are_gathered(quick, tmp_path):
    table = search.run_all([TPE, RANDOM], task(20), seeds=2, storage=databases.url(tmp_path), shared=False)
    assert list(table.groupby(["search", "seed"]).groups) == [("TPE", 5), ("TPE", 6), ("random", 5), ("random", 6)]
    compared = trials.compared(table, falling=False, searches=["random", "TPE"])
    assert compared["search"].tolist() == ["random", "TPE"]
    ends = table[table["search"] == "TPE"].groupby("seed")["score"].max()
    assert compared.loc[1, ["best", "low", "high"]].tolist() == [ends.mean(), ends.min(), ends.max()]
    assert (compared["complete"] + compared["pruned"] + compared["failed"]).tolist() == compared["trials"].tolist()
    words = trials.comparison(compared)
    assert words["best: mean (range)"][1] == f"{ends.mean():.3f} ({ends.min():.3f}–{ends.max():.3f})"
    assert trials.ways([TPE, RANDOM], SPACE)["searched"].tolist() == ["filters, learning rate, alpha", "filters"]


def test_importance_finds_what_matters():
    rng = np.random.default_rng(1)
    table = pd.DataFrame({f"filters {place}": rng.integers(1, 4, 60) for place in (1, 2, 3)})
    table = table.assign(alpha=rng.choice([0.1, 0.3], 60), state=runs.COMPLETE)
    table["recipe.learning_rate"] = 10 ** rng.uniform(-4, -1, 60)
    table["score"] = np.log10(table["recipe.learning_rate"]) + 0.05 * table["filters 2"]
    shares = trials.importance(table, SPACE, seed=1)
    assert shares.idxmax() == "recipe.learning_rate"
    assert shares["recipe.learning_rate"] > 0.8
    assert shares.sum() == pytest.approx(1)
    assert shares.equals(trials.importance(table, SPACE, seed=1))
    assert trials.importance(table.head(3), SPACE, seed=1).isna().all()
    assert trials.importance(table.assign(score=1.0), SPACE, seed=1).isna().all()
    shared = trials.importances(table.assign(search="random"), [RANDOM], SPACE, seed=1)
    assert shared["random"].isna().tolist() == [False] * 3 + [True] * 2


def test_cost_counts_the_images_on_their_way_forward():
    table = made_trials()
    assert trials.cost(table) == {
        "trainings": len(table),
        "epochs": 3 * len(table),
        "multiply_adds": 3.0 * len(table) * 100 * 2e6,
    }


def test_a_task_knows_its_score_and_its_length():
    assert (task().score, task().falling, task().whole) == ("val_auc", False, 2)
    loss = replace(task(), apply=lambda change: setting(recipe={"monitor": "val_loss"}))
    assert loss.falling
    assert databases.url(Path("x"), "mysql://host/base") == "mysql://host/base"
    assert databases.url(Path(os.sep) / "x").endswith("/x/search.db")
