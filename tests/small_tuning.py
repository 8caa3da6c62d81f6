"""Settings, searches and outcomes small enough for a test."""

import numpy as np
import pandas as pd
from small_store import small_store

from lesionbook import fitting
from lesionbook.params import merged
from lesionbook.recipes import Range, Recipe, Search
from lesionbook.tuning import kept, runs, search
from lesionbook.tuning.runs import Bench, Outcome
from lesionbook.tuning.settings import Setting

RECIPE = {"epochs": 2, "batch_size": 6, "learning_rate": 0.01, "optimizer": "adam", "monitor": "val_auc", "patience": 9}
SPACE = {
    "filters": Range(low=1, high=3, step=1, places=3),
    "recipe.learning_rate": Range(low=0.0001, high=0.1, log=True),
    "alpha": Range(choices=(0.1, 0.3)),
}
TPE = Search(title="TPE", sampler="tpe", pruned=True)
RANDOM = Search(title="random", sampler="random", only=("filters",))


def setting(**changes):
    """The plain network with two filters a layer, for images of 8 pixels."""
    known = merged({"filters": [2, 2, 2], "outputs": "softmax", "recipe": RECIPE}, changes)
    sizes = {key: known.pop(key) for key in ("sample_size", "validation_size") if key in known}
    recipe = Recipe(**known.pop("recipe"))
    return Setting("20-plain-cnn", known, recipe, **sizes)


def applied(changes=None):
    return setting(**(changes or {}))


def bench(owner="test"):
    return Bench(small_store(), "0" * 64, owner=owner)


def task(budget=12, seed=5, space=None, owner="test"):
    return search.Task(applied, SPACE if space is None else space, bench(owner), budget, seed)


def pretended(setting, bench, *, seed, on_epoch=lambda row: None):
    """In the place of `runs.attempt`: better with more filters, diverging at high rates, without a training."""
    rate = setting.recipe.learning_rate
    height = sum(setting.parameters["filters"]) / 10 + rate
    rows = []
    facts = {"parameters": 100, "multiply_adds": 1000, "images": 22, "steps": 4}
    for epoch in range(1, setting.recipe.epochs + 1):
        if rate > 0.03:
            return Outcome(runs.DIVERGED, fitting.DIVERGED, pd.DataFrame(rows, columns=kept.HISTORY), facts=facts)
        row = dict.fromkeys(kept.HISTORY, height * epoch / setting.recipe.epochs) | {"epoch": epoch, "phase": 1}
        rows.append(row)
        try:
            on_epoch(pd.Series(row))
        except runs.Stopped as stop:
            return Outcome(runs.PRUNED, str(stop), pd.DataFrame(rows), facts=facts)
    return Outcome(runs.COMPLETE, "", pd.DataFrame(rows), facts=facts)


def made_trials(counts=(9, 12), seeds=2):
    """Trials of two searches as `trials.gathered` gives them, with every state among them."""
    rng = np.random.default_rng(4)
    parts = []
    for title, count in zip(("random", "TPE with pruning, all"), counts, strict=True):
        for seed in range(seeds):
            frame = pd.DataFrame({"number": range(1, count + 1), "score": rng.uniform(0.5, 0.9, count)})
            frame["state"] = runs.COMPLETE
            frame.loc[3, ["state", "score"]] = [runs.DIVERGED, np.nan]
            if title != "random":
                frame.loc[7:8, "state"], frame.loc[7:8, "score"] = runs.PRUNED, np.nan
            frame = frame.assign(search=title, seed=seed, epochs=3, reason="", images=100, multiply_adds=2e6)
            frame["spent"], frame["best"] = frame["epochs"].cumsum(), frame["score"].cummax().ffill()
            for place in (1, 2, 3):
                frame[f"filters {place}"] = rng.integers(1, 9, count) * 32
            frame["recipe.learning_rate"] = 10 ** rng.uniform(-4, -2, count)
            frame["recipe.augmentation.horizontal_flip"] = rng.random(count) < 0.5
            parts.append(frame)
    return pd.concat(parts, ignore_index=True)
