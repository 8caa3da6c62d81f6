import copy

import pandas as pd
import pytest
from small_tuning import RANDOM

from lesionbook import params
from lesionbook.errors import LesionbookError
from lesionbook.recipes import Range
from lesionbook.study import Study
from lesionbook.tuning import settings, space

LOADED = params.load("melanoma-cnn", "paper")


def test_changes_reach_the_network_the_recipe_and_nothing_else():
    found = settings.apply(LOADED, "control", {"recipe": {"epochs": 3}}, {"alpha": 0.01, "recipe": {"batch_size": 2}})
    assert found.parameters["alpha"] == 0.01
    assert found.parameters["filters"] == [32, 32, 32, 64, 64, 64]
    assert (found.recipe.epochs, found.recipe.batch_size, found.recipe.learning_rate) == (3, 2, 0.001)
    assert found.recipe.plateau.patience == 4
    assert (found.sample_size, found.fine_tuning, found.weights) == (None, None, "none")
    assert settings.varying(LOADED, "control", {"alpha": 0.01})() == settings.apply(LOADED, "control", {"alpha": 0.01})


def test_a_second_phase_and_initial_weights_come_along():
    loaded = params.load("isic2019-transfer", "paper")
    tuned = [name for name, one in loaded.experiments.items() if one.parameters.fine_tuning]
    found = settings.apply(loaded, tuned[0], {"fine_tuning": {"epochs": 2}})
    assert found.fine_tuning.epochs == 2
    assert found.weights == loaded.experiments[tuned[0]].parameters.weights


@pytest.mark.parametrize(
    ("base", "change", "said"),
    [
        ("contrl", {}, r"no experiment 'contrl' .*did you mean 'control'"),
        ("colour-statistics", {}, "trains no network whose settings can be varied"),
        ("control", {"alhpa": 0.1}, r"20-plain-cnn has no parameter 'alhpa' to vary \(did you mean 'alpha'"),
        ("control", {"views": 4}, "no parameter 'views'"),
        ("control", {"recipe": {"learning_rat": 0.1}}, r"recipe.learning_rat is no key .*did you mean 'learning_rate'"),
        ("control", {"recipe": {"epochs": 0}}, r"recipe.epochs: .* \(given: 0\)"),
        ("control", {"alpha": 3}, r"alpha: .* \(given: 3\)"),
        ("control", {"sample_size": 0}, "sample_size must be a whole number above zero"),
        ("control", {"validation_size": True}, "validation_size must be a whole number above zero"),
    ],
)
def test_changes_that_cannot_be_are_refused(base, change, said):
    with pytest.raises(LesionbookError, match=said):
        settings.apply(LOADED, base, change)


def test_settings_are_named_by_what_they_change():
    change = {"recipe": {"learning_rate": 0.00001, "schedule": "plateau"}, "filters": [8, 16]}
    assert settings.title(change) == "learning rate 0.00001, schedule plateau, filters 8–16"
    assert settings.title({}) == "as it is"
    assert settings.title({"activation": "leaky_relu", "flip": True}) == "activation leaky ReLU, flip yes"


def test_points_of_a_figure():
    changes = [
        {"recipe": {"learning_rate": rate, "schedule": one}} for rate in (0.1, 0.2) for one in ("plateau", "cosine")
    ]
    expected = pd.DataFrame({"x": [0.1, 0.1, 0.2, 0.2], "series": ["schedule plateau", "schedule cosine"] * 2})
    found = settings.points(changes, "learning_rate")
    pd.testing.assert_frame_equal(found[["x", "series"]], expected)
    assert found["short"][0] == "0.1, plateau"
    assert settings.points(changes, "recipe.learning_rate").equals(found)
    assert settings.columns(changes).iloc[1].to_dict() == {"learning rate": "0.1", "schedule": "cosine"}
    with pytest.raises(LesionbookError, match=r"'alpha 0\.1' does not say 'learning_rate'"):
        settings.points([{"alpha": 0.1}], "learning_rate")


def test_sizes_make_no_series_of_their_own():
    found = settings.points(
        [{"sample_size": 40, "validation_size": 4}, {"sample_size": 80, "validation_size": 8}], "sample_size"
    )
    assert found["series"].tolist() == ["", ""]


def test_choices_put_together_leave_out_fewer_validation_images():
    choices = [{"recipe": {"epochs": 3}}, {"recipe": {"batch_size": 8}}, {"sample_size": 40, "validation_size": 4}]
    assert settings.together(choices) == {"recipe": {"epochs": 3, "batch_size": 8}, "sample_size": 40}


def changed(name, **parameters):
    raw = copy.deepcopy(LOADED.model_dump(mode="json", exclude_unset=True))
    raw["experiments"][name]["parameters"] |= parameters
    return Study.model_validate(raw)


@pytest.mark.parametrize("study", ["melanoma-cnn", "metastasis-baselines"])
@pytest.mark.parametrize("profile", params.PROFILES)
def test_the_studies_of_the_suite_pass(study, profile):
    loaded = params.load(study, profile)
    assert loaded.sweeps or loaded.searches
    settings.check(loaded)


@pytest.mark.parametrize(
    ("name", "parameters", "said"),
    [
        ("sweep-alpha", {"settings": [{"alpha": 7}]}, r"experiments\.sweep-alpha: alpha: "),
        ("sweep-alpha", {"axis": "dropout"}, "does not say 'dropout'"),
        ("sweep-alpha", {"fixed": {"recipe": {"epoch": 3}}}, "recipe.epoch is no key"),
        (
            "search",
            {"space": {"recipe.learning_rate": {"low": 0.1, "high": 99}}},
            "recipe.learning_rate: .*given: 99.0",
        ),
        ("search", {"searches": [RANDOM.model_dump() | {"only": ["filtres"]}]}, "searches: 'filtres' is not in space"),
        ("search", {"searches": [RANDOM.model_dump() | {"only": []}] * 2}, "two of them have the same title"),
        ("search", {"sweeps": ["control"]}, "sweeps: 'control' is no such experiment"),
        ("put-together", {"against": ["sweep-alpha"]}, "against: 'sweep-alpha' is no such experiment"),
    ],
)
def test_a_study_with_settings_that_cannot_be_is_refused_before_it_runs(name, parameters, said):
    with pytest.raises(LesionbookError, match=said):
        settings.check(changed(name, **parameters))


def test_ranges_give_values_of_the_right_kind():
    whole, smooth = Range(low=8, high=32, step=8, places=2), Range(low=0.1, high=0.5, step=0.1)
    searched = {"filters": whole, "dropout": smooth, "recipe.schedule": Range(choices=("cosine", "constant"))}
    assert list(space.names(searched)) == ["filters 1", "filters 2", "dropout", "recipe.schedule"]
    tried = {"filters 1": 16.0, "filters 2": 8, "dropout": 0.2, "recipe.schedule": "cosine"}
    assert space.changes(searched, tried) == {"filters": [16, 8], "dropout": 0.2, "recipe": {"schedule": "cosine"}}
    assert space.nested(space.corner(searched, -1)) == {
        "filters": [32, 32],
        "dropout": 0.5,
        "recipe": {"schedule": "constant"},
    }
    assert space.table(searched)["values"].tolist() == [
        "8 to 32, in steps of 8, each of 2",
        "0.1 to 0.5, in steps of 0.1",
        "cosine or constant",
    ]
    assert space.flat(space.nested({"a.b": 1, "a.c.d": 2, "e": 3})) == {"a.b": 1, "a.c.d": 2, "e": 3}


@pytest.mark.parametrize(
    "wrong",
    [{}, {"low": 1}, {"low": 2, "high": 1}, {"low": 0, "high": 1, "log": True}, {"choices": [1], "low": 1, "high": 2}],
)
def test_ranges_that_say_nothing_or_too_much_are_refused(wrong):
    with pytest.raises(ValueError):
        Range(**wrong)


def test_powers_and_choices_over_more_than_one_of_ten_are_logarithmic():
    searched = {
        "recipe.learning_rate": Range(low=0.001, high=0.1, log=True),
        "recipe.batch_size": Range(choices=(8, 16, 256)),
        "filters": Range(low=1, high=100, step=1, places=2),
        "dropout": Range(choices=(0.0, 0.5)),
        "bias": Range(choices=(True, False)),
        "activation": Range(choices=("relu", "tanh")),
        "alpha": Range(choices=(0.1, 0.3)),
    }
    assert space.logarithmic(searched) == ["recipe.learning_rate", "recipe.batch_size"]
