import json

import pytest

from lesionbook import params, paths, run
from lesionbook.errors import LesionbookError
from lesionbook.study import Study
from lesionbook.tuning import budgets, finals, search, worker


def test_the_budget_is_what_the_sweeps_took_for_each_seed(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "step", lambda profile, study, name: tmp_path / name)
    for name, epochs, seeds in (("a", 30, 3), ("b", 14, 2)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "summary.json").write_text(json.dumps({"cost": {"epochs": epochs}, "seeds": seeds}))
    assert budgets.epochs("sample", "any", ["a", "b"], 5) == 17
    assert budgets.epochs("sample", "any", [], 5) == 5


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("serch", r"'serch' is no search of params/metastasis-baselines\.yml \(did you mean 'search'\?\)"),
        ("search", r"experiments\.search: name a database under storage to share it"),
    ],
)
def test_a_worker_needs_a_search_and_a_database(step, said):
    with pytest.raises(LesionbookError, match=said):
        worker.work("metastasis-baselines", "sample", step)


def test_a_worker_takes_its_task_from_the_study_file(monkeypatch):
    raw = params.load("metastasis-baselines", "sample").model_dump(mode="json", exclude_unset=True)
    raw["experiments"]["search"]["parameters"]["storage"] = "sqlite:///shared.db"
    loaded = Study.model_validate(raw)
    monkeypatch.setattr(params, "check", lambda *a: loaded)
    monkeypatch.setattr(worker.Store, "open", lambda folder, classes: classes)
    monkeypatch.setattr(run, "read_json", lambda path: {"images_sha256": "x"})
    monkeypatch.setattr(worker.training, "begin", lambda **settings: None)
    asked = {}

    def run_all(searches, task, **options):
        asked.update(options, searches=searches, task=task)
        return [1, 2, 3]

    monkeypatch.setattr(search, "run_all", run_all)
    assert worker.work("metastasis-baselines", "sample", "search") == 3
    knobs = loaded.experiments["search"].parameters
    assert (asked["storage"], asked["shared"], asked["seeds"]) == ("sqlite:///shared.db", True, knobs.seeds)
    task = asked["task"]
    kept = finals.reserve(task.whole, finalists=1, seeds=knobs.seeds)  # 1: the notebook's
    assert kept > 0
    assert (task.budget, task.seed, task.bench.store) == (knobs.budget - kept, loaded.seed, ["normal", "metastasis"])
    assert task.bench.owner.startswith("search-")  # a place of its own, with the number of the process
    assert task.apply({}).recipe.epochs == knobs.fixed["recipe"]["epochs"]
