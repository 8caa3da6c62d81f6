import keras
import numpy as np
import pytest

from lesionbook import rates
from lesionbook.recipes import Decay, Plateau, Recipe

pytestmark = pytest.mark.usefixtures("one_thread")


def falling(**knobs):
    recipe = Recipe(learning_rate=0.1, **knobs)
    schedule = rates.schedule(recipe, 10)
    return np.array([float(schedule(step)) for step in range(recipe.epochs * 10)])


def test_the_learning_rate_warms_up_then_falls_as_half_a_cosine():
    values = falling(epochs=6, warmup_epochs=2)
    assert values[0] == 0
    assert values[10] == pytest.approx(0.05)
    assert values.argmax() == 20
    assert values[20] == pytest.approx(0.1)
    assert (np.diff(values[:21]) > 0).all()
    assert (np.diff(values[20:]) < 0).all()
    assert values[40] == pytest.approx(0.05)  # half way down after half of the steps
    assert 0 <= values[-1] < 0.001


def test_without_warm_up_the_learning_rate_starts_at_its_peak():
    values = falling(epochs=4)
    assert values[0] == pytest.approx(0.1)
    assert (np.diff(values) < 0).all()
    assert 0 <= values[-1] < 0.001


def test_a_warm_up_as_long_as_the_training_leaves_an_epoch_to_fall():
    values = falling(epochs=2, warmup_epochs=5)
    assert values.argmax() == 10
    assert values[-1] < 0.005
    assert falling(epochs=1, warmup_epochs=5)[0] == pytest.approx(0.1)


# Plateaus and the best epoch


def keras_rates(losses, plateau, rate):
    """What Keras's own callback makes of the same losses."""
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.Adam(rate))
    callback = keras.callbacks.ReduceLROnPlateau(
        "val_loss",
        factor=plateau.factor,
        patience=plateau.patience,
        min_delta=plateau.min_delta,
        min_lr=plateau.min_learning_rate,
    )
    callback.set_model(model)
    callback.on_train_begin()
    found = []
    for epoch, loss in enumerate(losses):
        found.append(float(model.optimizer.learning_rate))
        callback.on_epoch_end(epoch, {"val_loss": loss})
    return [*found, float(model.optimizer.learning_rate)]


@pytest.mark.parametrize("patience", [1, 2, 4])
def test_plateaus_are_those_of_keras(patience):
    losses = np.random.default_rng(patience).normal(1, 0.1, size=30).round(2)
    plateau = Plateau(factor=0.2, patience=patience, min_delta=0.01, min_learning_rate=1e-5)
    here = [rates.after_plateaus(losses[:epoch], plateau, 0.01) for epoch in range(31)]
    assert here == pytest.approx(keras_rates(losses, plateau, 0.01), rel=1e-6)
    assert len(set(here)) > 2


def test_a_score_that_should_rise_has_its_plateau_too():
    plateau = Plateau(monitor="val_auc", factor=0.5, patience=2)
    assert rates.after_plateaus([0.5, 0.6, 0.6, 0.55], plateau, 1.0) == 0.5
    assert rates.after_plateaus([0.5, 0.6, 0.6, 0.7], plateau, 1.0) == 1.0


def test_the_best_epoch_is_the_first_of_equals_and_beats_the_others_by_enough():
    assert rates.best_epoch([0.5, 0.7, 0.7, 0.6], "val_auc") == 1
    assert rates.best_epoch([0.5, 0.4, 0.395], "val_loss") == 2
    assert rates.best_epoch([0.5, 0.4, 0.395], "val_loss", min_delta=0.01) == 1


def test_an_exponential_rate_falls_in_a_staircase():
    recipe = Recipe(schedule="exponential", learning_rate=0.1, decay=Decay(rate=0.5, steps=3))
    values = [float(rates.schedule(recipe, 10)(step)) for step in range(7)]
    assert values == pytest.approx([0.1] * 3 + [0.05] * 3 + [0.025])


def test_adam_is_plain_adam_at_a_constant_rate():
    made = rates.optimizer(Recipe(optimizer="adam", schedule="constant", learning_rate=0.02), 10)
    assert type(made) is keras.optimizers.Adam
    assert float(made.learning_rate) == pytest.approx(0.02)
