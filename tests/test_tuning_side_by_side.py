import os
import pickle

import numpy as np
import pandas as pd
import pytest
from small_store import CLASSES, small_store
from small_tuning import RANDOM, TPE, bench, setting, task
from tiny_project import ROOT

from lesionbook import paths, training
from lesionbook.images import Store
from lesionbook.tuning import databases, search, side_by_side, sweep


def told(item, bench):
    return item, bench.owner, training.begun(), os.getpid()


@pytest.fixture
def projects(tmp_path, monkeypatch):
    """Two empty projects, each with what was trained in it alone, one after the other."""
    training.begin(seed=1, threads=1)

    def enter(name):
        for part in ("notebooks", "params"):
            (tmp_path / name).mkdir(exist_ok=True)
            (tmp_path / name / part).symlink_to(ROOT / part)
        monkeypatch.chdir(tmp_path / name)
        return tmp_path / name

    return enter


def test_each_has_a_process_that_computes_alike_and_an_owner_of_its_own():
    training.begin(seed=1, threads=1)
    found = list(side_by_side.each(told, ["a", "b", "c"], bench("sweep"), workers=2))
    state = {"threads": 1, "precision": "float32", "devices": 1}
    assert [one[:3] for one in found] == [("a", "sweep-0", state), ("b", "sweep-1", state), ("c", "sweep-2", state)]
    assert os.getpid() not in {one[3] for one in found}
    assert {one[3] for one in side_by_side.each(told, ["a", "b"], bench())} == {os.getpid()}


def test_a_sweep_is_the_same_by_two_workers(projects):
    settings, tables = [setting(), setting(alpha=0.1)], []
    for workers in (1, 2):
        projects(f"sweep {workers}")
        tables.append(sweep.table(sweep.train(settings, bench(), seed=4, seeds=2, workers=workers)))
        kept = [path.name for path in paths.cache().iterdir()]
        assert len(kept) == 4 and all(name.startswith("run-") for name in kept)
    pd.testing.assert_frame_equal(*tables)


def test_searches_are_the_same_by_two_workers(projects):
    tables, steps = [], []
    for workers in (1, 2):
        storage = databases.url(projects(f"search {workers}"))
        tables.append(
            search.run_all(
                [TPE, RANDOM],
                task(6),
                seeds=1,
                storage=storage,
                shared=False,
                workers=workers,
                progress=lambda *step: steps.append(step),
            )
        )
    pd.testing.assert_frame_equal(*tables)
    assert steps[-2:] == [(1, 2), (2, 2)], "with several workers, searches are counted"


def test_an_opened_store_reaches_another_process_by_its_file(tmp_path):
    made = small_store()
    made.index.to_csv(tmp_path / "index.csv", index=False)
    np.save(tmp_path / "images.npy", made.array)
    opened = Store.open(tmp_path, CLASSES)
    sent = pickle.dumps(opened)
    assert b"images.npy" in sent
    assert len(sent) < len(pickle.dumps(made)) - made.array.nbytes / 2
    for store in (opened, made):
        again = pickle.loads(pickle.dumps(store))
        assert np.array_equal(again.array, made.array) and again.index.equals(store.index)
        assert isinstance(again.array, np.memmap) == isinstance(store.array, np.memmap)
