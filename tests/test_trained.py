import re
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
from small_store import CLASSES, SIZE, small_network, small_store

from lesionbook import fitting, trained, training
from lesionbook.architectures.residual_cnn import residual_cnn
from lesionbook.errors import LesionbookError
from lesionbook.images import Store
from lesionbook.recipes import Recipe

pytestmark = [
    pytest.mark.usefixtures("one_thread"),
    pytest.mark.filterwarnings("ignore:__array__ implementation"),  # in Keras's own conversion
]

OPTIONS = {"image_size": SIZE, "classes": 3, "widths": (4,), "blocks": (1,)}
RECIPE = Recipe(epochs=2, batch_size=11, learning_rate=0.01)


@pytest.fixture(scope="module")
def store():
    return small_store()


@pytest.fixture
def project(tmp_path, monkeypatch):
    for name in ("params", "notebooks"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def obtain(store, *, build=residual_cnn, recipe=RECIPE, seed=5, images="abc", **options):
    return trained.obtain(build, OPTIONS | options, store, recipe, seed=seed, images_digest=images, output=Path())


@pytest.fixture
def quick(monkeypatch):
    """Training replaced by a note of what it was given: weights before, rows, seed."""
    calls = []

    def fit(model, train, validation, recipe, *, seed, on_epoch, **_):
        calls.append((model.get_weights(), train, validation, recipe, seed))
        row = pd.Series(dict.fromkeys(fitting.HISTORY, 0.5) | {"epoch": 1})
        on_epoch(row)
        return pd.DataFrame([row])

    monkeypatch.setattr(fitting, "fit", fit)
    return calls


def test_a_network_is_trained_once_and_then_read(project, store, monkeypatch):
    first = obtain(store)
    assert list(first.history["epoch"]) == [1, 2]
    log = (project / "training.log").read_text().splitlines()
    assert len(log) == 2
    assert re.match(r"epoch=2 learning_rate=\S+ loss=\S+ accuracy=", log[1])

    monkeypatch.setattr(fitting, "fit", lambda *_, **__: pytest.fail("trained again"))
    second = obtain(store)
    assert second.fingerprint == first.fingerprint
    assert second.origin == first.origin == "random numbers"
    pd.testing.assert_frame_equal(second.history, first.history, check_exact=True)
    images = store.rows("test")
    assert np.array_equal(training.predict(first.model, images), training.predict(second.model, images))
    untrained = residual_cnn(**OPTIONS)
    assert not np.allclose(training.predict(untrained, images), training.predict(second.model, images), atol=1e-4)


def test_training_gets_training_and_validation_rows_only(project, store, quick):
    obtain(store)
    _, train, validation, recipe, seed = quick[0]
    assert set(train.index["split"]) == {"train"}
    assert set(validation.index["split"]) == {"val"}
    assert (recipe, seed) == (RECIPE, 5)


def edit(monkeypatch, name):
    """Let a file of the library read as if a line had been added."""
    read = Path.read_text
    monkeypatch.setattr(
        Path, "read_text", lambda path, **options: read(path, **options) + "\nmore = 1" * (path.name == name)
    )


def moved(store):
    """The same images, two of them on other sides of the split."""
    index = store.index.copy()
    index.loc[[0, 1], "split"] = ["train", "test"] if index["split"][0] != "train" else ["test", "train"]
    return Store(index, store.array, CLASSES)


@pytest.mark.parametrize(
    "change",
    [
        {"recipe": Recipe(epochs=3, batch_size=11, learning_rate=0.01)},
        {"seed": 6},
        {"images": "abd"},
        {"dropout": 0.5},
        {"split": True},
        {"threads": True},
        {"code": "fitting.py"},
        {"code": "augmentation.py"},
        {"code": "residual_cnn.py"},
        {"code": "layers.py"},
    ],
    ids=lambda change: str(change.get("code", next(iter(change)))),
)
def test_whatever_decides_the_weights_makes_a_new_training(project, store, quick, monkeypatch, change):
    first = obtain(store)
    change = dict(change)
    if change.pop("split", False):
        store = moved(store)
    if change.pop("threads", False):
        monkeypatch.setattr(training, "settings", lambda: ["tensorflow", "float32", 2, "x86_64"])
    if name := change.pop("code", False):
        edit(monkeypatch, name)
    second = obtain(store, **change)
    assert len(quick) == 2
    assert second.fingerprint != first.fingerprint
    assert obtain(store, **change).fingerprint == second.fingerprint
    assert len(quick) == 2


@pytest.mark.parametrize("name", ["style.py", "report.py", "html.py", "explain.py", "run.py"])
def test_a_change_of_how_results_are_shown_trains_nothing(project, store, quick, monkeypatch, name):
    obtain(store)
    edit(monkeypatch, name)
    obtain(store)
    assert len(quick) == 1


def test_what_was_built_before_does_not_shift_the_weights(project, store, quick):
    obtain(store, images="one")
    small_network(0.5)
    np.random.random(9)  # noqa: NPY002
    keras.random.uniform((3,))
    obtain(store, images="other")
    for one, other in zip(quick[0][0], quick[1][0], strict=True):
        assert np.array_equal(one, other)


@pytest.mark.parametrize("where", ["training", "writing"])
def test_a_failure_leaves_nothing_that_could_be_taken_for_a_network(project, store, quick, monkeypatch, where):
    def fails(self, path, *_):
        Path(path).write_bytes(b"half")
        raise OSError("disk full")

    def diverges(*_, **__):
        raise LesionbookError("the loss is no longer a number")

    with monkeypatch.context() as patch:
        if where == "training":
            patch.setattr(fitting, "fit", diverges)
        else:
            patch.setattr(keras.Model, "save", fails)
        with pytest.raises((OSError, LesionbookError)):
            obtain(store)
    assert [path for path in (project / "build").rglob("*") if path.is_file()] == []
    obtain(store)
    assert len(list((project / "build" / "trained").iterdir())) == 1


def test_two_notebooks_may_train_the_same_network_at_once(project, store, quick, monkeypatch):
    """The other one, here run in the middle of the first, is done earlier."""
    fit = fitting.fit

    def overtaken(*arguments, **keywords):
        monkeypatch.setattr(fitting, "fit", fit)
        obtain(store)
        return fit(*arguments, **keywords)

    monkeypatch.setattr(fitting, "fit", overtaken)
    result = obtain(store)
    assert len(quick) == 2
    assert list(result.history["epoch"]) == [1]
    assert [path.name for path in (project / "build" / "trained").iterdir()] == [result.fingerprint]
