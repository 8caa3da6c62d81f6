import keras
import numpy as np
import pandas as pd
import pytest
from small_store import CLASSES, small_store

from lesionbook.architectures import colour_statistics, description
from lesionbook.architectures.layers import BatchNormalization
from lesionbook.architectures.residual_cnn import residual_cnn
from lesionbook.images import Rows

pytestmark = [
    pytest.mark.usefixtures("one_thread"),
    pytest.mark.filterwarnings("ignore:__array__ implementation"),  # in Keras's own conversion
]


# Residual CNN


@pytest.fixture(scope="module")
def network():
    keras.utils.set_random_seed(2)
    return residual_cnn(20, 3, widths=(4, 8), blocks=(1, 2))


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).integers(0, 256, size=(5, 20, 20, 3), dtype=np.uint8)


def test_parameters_as_counted_by_hand(network):
    stem = 3 * 3 * 3 * 4 + 4 * 4
    first = 2 * (3 * 3 * 4 * 4 + 4 * 4)
    widening = (3 * 3 * 4 * 8 + 4 * 8) + (3 * 3 * 8 * 8 + 4 * 8) + (4 * 8 + 4 * 8)
    plain = 2 * (3 * 3 * 8 * 8 + 4 * 8)
    total = stem + first + widening + plain + (8 * 3 + 3)
    averages = 2 * (4 + 2 * 4 + 3 * 8 + 2 * 8)
    assert description.parameters(network) == {
        "total": total,
        "trainable": total - averages,
        "non_trainable": averages,
    }


def test_layers_are_listed_with_shapes_parameters_and_blocks(network):
    table = description.layers(network).set_index("name")
    assert table["parameters"].sum() == network.count_params()
    assert table.loc["image", "output_shape"] == "20 × 20 × 3"
    assert table.loc["stem_convolution", ["kind", "output_shape", "parameters"]].tolist() == [
        "Conv2D",
        "10 × 10 × 4",
        108,
    ]
    assert table.loc["stage2_block1_add", "output_shape"] == "5 × 5 × 8"
    assert table.loc["last_convolution", "output_shape"] == "5 × 5 × 8"
    assert table.loc["logits", ["output_shape", "parameters"]].tolist() == ["3", 27]
    assert [block for block in table["block"].unique() if block.startswith("st")] == [
        "stem",
        "stage1_block1",
        "stage2_block1",
        "stage2_block2",
    ]


def test_a_fixed_layer_counts_as_not_trainable():
    model = residual_cnn(20, 3, widths=(4,), blocks=(1,))
    before = description.parameters(model)
    model.get_layer("stem_convolution").trainable = False
    after = description.parameters(model)
    assert after["total"] == before["total"]
    assert after["trainable"] == before["trainable"] - 108


def test_the_model_is_flat_and_has_the_layers_that_grad_cam_needs(network):
    assert not any(isinstance(layer, keras.Model) for layer in network.layers)
    assert len(network.get_layer("last_convolution").output.shape) == 4
    logits, last = network.get_layer("logits"), network.layers[-1]
    scores = keras.Model(network.inputs, logits.output).predict_on_batch(np.zeros((1, 20, 20, 3), dtype=np.uint8))
    answers = network.predict_on_batch(np.zeros((1, 20, 20, 3), dtype=np.uint8))
    assert np.allclose(np.exp(scores) / np.exp(scores).sum(), answers, atol=1e-6)
    assert last.name == "probabilities"


def test_outputs_are_probabilities(network, images):
    answers = network.predict_on_batch(images)
    assert answers.shape == (5, 3)
    assert answers.dtype == np.float32
    assert np.allclose(answers.sum(axis=1), 1, atol=1e-6)
    assert (answers > 0).all()
    assert len(np.unique(answers.round(6), axis=0)) == 5


def test_images_are_scaled_inside(network):
    scaled = keras.Model(network.inputs, network.get_layer("scale_to_plus_minus_one").output)
    ends = np.zeros((1, 20, 20, 3), dtype=np.uint8)
    ends[0, 0, 0] = 255
    values = scaled.predict_on_batch(ends)
    assert (values.min(), values.max()) == (-1, 1)


def test_whole_numbers_and_fractions_are_read_alike(network, images):
    assert np.allclose(network.predict_on_batch(images), network.predict_on_batch(images.astype(np.float32)), atol=1e-6)


def test_every_block_starts_as_the_identity():
    model = residual_cnn(16, 3, widths=(4,), blocks=(2,))
    body = keras.Model(model.inputs, [model.get_layer(name).output for name in ("stem_relu", "stage1_block2_relu2")])
    before, after = body.predict_on_batch(np.random.default_rng(1).uniform(0, 255, size=(2, 16, 16, 3)))
    assert np.array_equal(before, after)
    assert before.max() > 0


def test_widths_and_blocks_must_go_together():
    with pytest.raises(ValueError, match="argument"):
        residual_cnn(16, 3, widths=(4, 8), blocks=(1,))


def test_dropout_is_active_in_training_only(images):
    model = residual_cnn(20, 3, widths=(4,), blocks=(1,), dropout=0.9)
    head = keras.Model(model.get_layer("features").output, model.get_layer("logits").output)
    pooled = np.ones((1, 4), dtype=np.float32)
    assert model.get_layer("dropout").rate == 0.9
    assert np.array_equal(head(pooled, training=False), head(pooled, training=False))
    assert len({tuple(np.ravel(head(pooled, training=True))) for _ in range(20)}) > 1


def test_a_saved_network_answers_the_same(images, tmp_path):
    network, rng = residual_cnn(20, 3, widths=(4, 8), blocks=(1, 2)), np.random.default_rng(3)
    # Anything but the initial averages, which a new model has as well.
    network.set_weights([weight + np.abs(rng.normal(size=weight.shape)) for weight in network.get_weights()])
    before = network.predict_on_batch(images)
    network.save(tmp_path / "model.keras")
    read = keras.models.load_model(tmp_path / "model.keras")
    assert np.array_equal(read.predict_on_batch(images), before)
    assert isinstance(read.get_layer("stem_normalization"), BatchNormalization)
    assert read.get_layer("stem_normalization").momentum == network.get_layer("stem_normalization").momentum


# Batch normalization


@pytest.fixture
def twins():
    """Our layer and that of Keras, with the same scale, shift and averages."""
    rng = np.random.default_rng(4)
    weights = [rng.uniform(0.5, 2, size=3).astype(np.float32) for _ in range(4)]
    pair = BatchNormalization(momentum=0.9), keras.layers.BatchNormalization(momentum=0.9)
    for layer in pair:
        layer.build((None, 4, 5, 3))
        layer.set_weights(weights)
    return pair


@pytest.fixture(scope="module")
def maps():
    return np.random.default_rng(5).normal(3, 2, size=(6, 4, 5, 3)).astype(np.float32)


def test_training_outputs_and_moving_mean_are_those_of_keras(twins, maps):
    ours, theirs = twins
    assert np.allclose(ours(maps, training=True), theirs(maps, training=True), atol=1e-5)
    assert np.allclose(ours.moving_mean, theirs.moving_mean, rtol=1e-5)


def test_the_moving_variance_is_the_unbiased_one(twins, maps):
    ours, _ = twins
    start = np.array(ours.moving_variance)
    ours(maps, training=True)
    expected = 0.9 * start + 0.1 * maps.reshape(-1, 3).var(axis=0, ddof=1)
    assert np.allclose(ours.moving_variance, expected, rtol=1e-5)
    assert not np.allclose(ours.moving_variance, 0.9 * start + 0.1 * maps.reshape(-1, 3).var(axis=0), rtol=1e-4)


def test_inference_is_that_of_keras_and_changes_nothing(twins, maps):
    ours, theirs = twins
    before = [np.array(weight) for weight in ours.get_weights()]
    assert np.allclose(ours(maps, training=False), theirs(maps, training=False), atol=1e-5)
    assert all(np.array_equal(one, other) for one, other in zip(before, ours.get_weights(), strict=True))


def test_gradients_are_those_of_keras(twins, maps):
    tensorflow = pytest.importorskip("tensorflow")
    weigh = np.random.default_rng(6).normal(size=maps.shape).astype(np.float32)

    def gradients(layer):
        inputs = tensorflow.Variable(maps)
        with tensorflow.GradientTape() as tape:
            loss = tensorflow.reduce_sum(layer(inputs, training=True) * weigh)
        return tape.gradient(loss, [inputs, layer.gamma.value, layer.beta.value])

    for ours, theirs in zip(*map(gradients, twins), strict=True):
        assert np.allclose(ours, theirs, atol=1e-4)


def test_a_fixed_layer_uses_its_averages_even_in_training(twins, maps):
    ours, theirs = twins
    ours.trainable = theirs.trainable = False
    before = np.array(ours.moving_mean)
    assert np.allclose(ours(maps, training=True), theirs(maps, training=True), atol=1e-5)
    assert np.array_equal(ours.moving_mean, before)


def test_sixteen_bit_maps_keep_averages_in_thirty_two(maps):
    wide, narrow = BatchNormalization(), BatchNormalization(dtype="mixed_bfloat16")
    full, half = wide(maps, training=True), narrow(maps, training=True)
    assert keras.backend.standardize_dtype(half.dtype) == "bfloat16"
    assert keras.backend.standardize_dtype(narrow.moving_mean.dtype) == "float32"
    assert np.allclose(full, np.array(keras.ops.cast(half, "float32")), atol=0.05)
    assert np.allclose(wide.moving_mean, narrow.moving_mean, atol=0.01)


# Colour statistics


def rows_of(array):
    index = pd.DataFrame({"image_id": [str(k) for k in range(len(array))], "label": CLASSES[0]})
    return Rows(index, CLASSES, array, np.arange(len(array)))


def test_a_constant_image_is_its_colour_without_spread():
    array = np.full((1, 10, 10, 3), (200, 100, 30), dtype=np.uint8)
    found = colour_statistics.features(rows_of(array)).loc[0]
    assert len(found) == 30
    for region in ("", "centre "):
        for colour, value in (("red", 200), ("green", 100), ("blue", 30)):
            for statistic in ("mean", "10th percentile", "50th percentile", "90th percentile"):
                assert found[f"{region}{colour} {statistic}"] == value
            assert found[f"{region}{colour} standard deviation"] == 0


def test_features_against_numpy_for_rows_in_any_order():
    array, positions = (
        np.random.default_rng(7).integers(0, 256, size=(20, 12, 12, 3), dtype=np.uint8),
        np.array([5, 0, 17]),
    )
    found = colour_statistics.features(Rows(rows_of(array).index.iloc[positions], CLASSES, array, positions))
    for row, position in enumerate(positions):
        image = array[position].astype(float)
        for region, pixels in (("", image), ("centre ", image[3:9, 3:9])):
            for channel, colour in enumerate(("red", "green", "blue")):
                values = pixels[:, :, channel]
                name = f"{region}{colour}"
                assert found[f"{name} mean"][row] == pytest.approx(values.mean(), abs=1e-4)
                assert found[f"{name} standard deviation"][row] == pytest.approx(values.std(), abs=1e-4)
                for percentile in (10, 50, 90):
                    expected = np.percentile(values, percentile)
                    assert found[f"{name} {percentile}th percentile"][row] == pytest.approx(expected, abs=1e-4)


def test_features_do_not_depend_on_how_many_images_are_read_at_once(monkeypatch):
    rows = small_store().rows("train")
    whole = colour_statistics.features(rows)
    monkeypatch.setattr(colour_statistics, "BATCH", 4)
    pd.testing.assert_frame_equal(colour_statistics.features(rows), whole)


def test_the_classifier_learns_colours_and_heeds_class_weights():
    store = small_store()
    train, test = store.rows("train"), store.rows("val", "test")
    features, unseen = colour_statistics.features(train), colour_statistics.features(test)

    def share_of_red(weight):
        weights = {"blue": 1.0, "green": 1.0, "red": weight}
        model = colour_statistics.classifier(regularization=0.01, class_weights=weights)
        model.fit(features, train.index["label"])
        assert list(model.classes_) == CLASSES
        return model.predict_proba(unseen)[:, 2].mean(), model.score(unseen, test.index["label"])

    (low, _), (middle, accuracy), (high, _) = (share_of_red(weight) for weight in (0.05, 1.0, 20.0))
    assert low < middle - 0.1
    assert middle < high - 0.1
    assert accuracy > 0.9


def test_probabilities_stand_in_the_order_of_the_classes_and_not_of_the_alphabet():
    values = pd.DataFrame({"x": [-3.0, -2.0, 2.0, 3.0]})
    model = colour_statistics.classifier(regularization=10.0, class_weights={"other": 1.0, "melanoma": 1.0})
    model.fit(values, ["other", "other", "melanoma", "melanoma"])
    answers = colour_statistics.probabilities(model, values, ["other", "melanoma"])
    assert answers[:, 0].argmax() == 0 and answers[-1].argmax() == 1
    assert np.allclose(answers.sum(axis=1), 1)
