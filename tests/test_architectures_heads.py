import keras
import numpy as np
import pytest
from small_store import CLASSES, SIZE, small_store

from lesionbook import training
from lesionbook.architectures import heads
from lesionbook.architectures.plain_cnn import plain_cnn
from lesionbook.errors import LesionbookError

pytestmark = [
    pytest.mark.usefixtures("one_thread"),
    pytest.mark.filterwarnings("ignore:__array__ implementation"),  # in Keras's own conversion
]
SCORES = np.array([[-60.0], [-3.0], [0.0], [0.5], [60.0]], dtype=np.float32)


def of_scores(outputs, classes):
    """A network that answers from the scores it is given."""
    width = 1 if outputs == "single_sigmoid" else classes
    inputs = keras.Input((width,))
    model = keras.Model(inputs, heads.answer(inputs, classes, outputs))
    model.get_layer("logits").set_weights([np.eye(width), np.zeros(width)])
    return model


def test_a_single_sigmoid_answers_with_a_column_per_class():
    model = of_scores("single_sigmoid", 2)
    answers = keras.ops.convert_to_numpy(model(SCORES))
    expected = 1 / (1 + np.exp(-SCORES[:, 0].astype(float)))
    assert model.get_layer("logits").units == 1
    assert np.allclose(answers[:, 1], expected, rtol=1e-6, atol=0)
    assert np.allclose(answers[:, 0], 1 / (1 + np.exp(SCORES[:, 0].astype(float))), rtol=1e-6, atol=0)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="other backends clip probabilities in the loss")
@pytest.mark.parametrize("label", [0, 1])
def test_a_single_sigmoid_has_the_gradient_of_the_binary_cross_entropy_however_sure_it_is(label):
    """A step with a rate of 1 moves the bias by y - p; from clipped probabilities it would not move at -60 and 60."""
    for score in SCORES:
        model = of_scores("single_sigmoid", 2)
        model.compile(keras.optimizers.SGD(1.0), keras.losses.CategoricalCrossentropy(), run_eagerly=True)
        loss = model.train_on_batch(score[None], np.eye(2, dtype="float32")[[label]])
        probability = 1 / (1 + np.exp(-float(score[0])))
        bias = model.get_layer("logits").get_weights()[1][0]
        assert bias == pytest.approx(label - probability, abs=1e-6)
        assert float(loss) == pytest.approx(np.logaddexp(0, float(score[0]) * (1 - 2 * label)), rel=1e-5, abs=1e-6)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="other backends clip probabilities in the loss")
def test_the_gradient_is_the_same_in_a_compiled_step():
    model = of_scores("single_sigmoid", 2)
    model.compile(keras.optimizers.SGD(1.0), keras.losses.CategoricalCrossentropy())
    model.train_on_batch(SCORES[-1:], np.array([[1.0, 0.0]], dtype="float32"))
    assert model.get_layer("logits").get_weights()[1][0] == pytest.approx(-1)


def test_sigmoids_answer_each_for_itself():
    answers = keras.ops.convert_to_numpy(of_scores("sigmoids", 2)(np.array([[2.0, -1.0]], dtype="float32")))
    assert np.allclose(answers, [[1 / (1 + np.exp(-2)), 1 / (1 + np.exp(1))]])


def test_softmax_is_a_distribution_over_the_scores():
    answers = keras.ops.convert_to_numpy(of_scores("softmax", 3)(np.array([[2.0, -1.0, 0.0]], dtype="float32")))
    assert np.allclose(answers, np.exp([[2, -1, 0]]) / np.exp([2, -1, 0]).sum())


def test_predictions_from_sigmoids_sum_to_one():
    model = plain_cnn(SIZE, len(CLASSES), filters=(2,) * 6, outputs="sigmoids")
    rows = small_store().rows("val")
    raw = keras.ops.convert_to_numpy(model(rows.images(np.arange(len(rows)))))
    assert not np.allclose(raw.sum(axis=1), 1, atol=0.05)
    predicted = training.predict(model, rows)
    assert np.allclose(predicted.sum(axis=1), 1)
    assert np.allclose(predicted, raw / raw.sum(axis=1, keepdims=True), atol=1e-6)


def test_a_single_sigmoid_cannot_tell_three_classes():
    with pytest.raises(LesionbookError, match="2 classes, not 3; set outputs to softmax"):
        heads.answer(keras.Input((4,)), 3, "single_sigmoid")


def names(x):
    return [layer.name for layer in keras.Model(x[0], x[1]).layers[1:]]


def test_hidden_layers_are_plain_or_normalized():
    inputs = keras.Input((4,))
    assert names([inputs, heads.hidden(inputs, [3, 2], dropout=0.3)]) == ["dense1", "dense2", "dropout"]
    normalized = heads.hidden(inputs, [3], dropout=0.3, normalized=True)
    assert names([inputs, normalized]) == ["dense1", "dense1_normalization", "dense1_relu", "dense1_dropout"]
    assert heads.hidden(inputs, []) is inputs


def test_normalized_layers_have_no_bias():
    inputs = keras.Input((4,))
    model = keras.Model(inputs, heads.hidden(inputs, [3], normalized=True))
    assert not model.get_layer("dense1").use_bias
    assert keras.Model(inputs, heads.hidden(inputs, [3])).get_layer("dense1").use_bias
