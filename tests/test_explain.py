import keras
import numpy as np
import pytest

from lesionbook import explain
from lesionbook.architectures.residual_cnn import residual_cnn
from lesionbook.errors import LesionbookError

pytestmark = [
    pytest.mark.usefixtures("one_thread"),
    pytest.mark.filterwarnings("error:The structure of `inputs`"),  # Keras would say it in every report
]


def by_hand(weights):
    """Two feature maps, red and blue, averaged and weighed; `weights` has a row per map and a column per class."""
    weights = np.array(weights, dtype=np.float32)
    inputs = keras.Input((8, 8, 3))
    kernel = np.zeros((1, 1, 3, 2), dtype=np.float32)
    kernel[0, 0, 0, 0] = kernel[0, 0, 2, 1] = 1 / 255
    x = keras.layers.Conv2D(2, 1, use_bias=False, name="last_convolution")(inputs)
    x = keras.layers.GlobalAveragePooling2D()(x)
    x = keras.layers.Dense(weights.shape[1], use_bias=False, name="logits")(x)
    model = keras.Model(inputs, keras.layers.Activation("softmax")(x))
    model.set_weights([kernel, weights])
    return model


def spots():
    """A red spot at the top left, a blue one at the bottom right."""
    image = np.zeros((8, 8, 3), dtype=np.uint8)
    image[1:3, 1:3, 0] = 200
    image[5:7, 5:8, 2] = 100
    return image


def test_the_map_shows_the_region_that_speaks_for_the_class():
    model = by_hand([[1, 0], [0, 1]])
    red, blue = explain.grad_cam(model, np.stack([spots(), spots()]), np.array([0, 1]))
    for heat, region in ((red, np.s_[1:3, 1:3]), (blue, np.s_[5:7, 5:8])):
        assert heat.shape == (8, 8)
        assert np.allclose(heat[region], 1)
        assert heat.sum() == pytest.approx(heat[region].sum())


def test_what_speaks_against_the_class_is_left_out():
    heat = explain.grad_cam(by_hand([[1], [-1]]), spots()[None], np.array([0]))[0]
    assert np.allclose(heat[1:3, 1:3], 1)
    assert heat[5:7, 5:8].max() == 0


@pytest.mark.parametrize("image", [spots(), np.zeros((8, 8, 3), dtype=np.uint8)])
def test_all_zero_where_nothing_speaks_for_the_class(image):
    heat = explain.grad_cam(by_hand([[-1], [-1]]), image[None], np.array([0]))
    assert not np.isnan(heat).any()
    assert (heat == 0).all()


def test_with_pooling_and_one_dense_layer_it_is_the_class_activation_map():
    """Zhou et al. (2016): the feature maps weighed by the last layer; the gradient of the mean is that up to scale."""
    keras.utils.set_random_seed(8)
    model = residual_cnn(24, 4, widths=(6, 8), blocks=(1, 1))
    images = np.random.default_rng(8).integers(0, 256, size=(5, 24, 24, 3), dtype=np.uint8)
    # Weights of NumPy's making, since Keras draws others when its backend does.
    draw = np.random.default_rng(8)
    model.set_weights([np.abs(draw.normal(size=weight.shape)) for weight in model.get_weights()])
    logits = model.get_layer("logits")
    logits.set_weights([draw.normal(size=weight.shape) for weight in logits.get_weights()])
    classes = np.array([0, 1, 2, 3, 1])
    maps = keras.Model(model.inputs, model.get_layer("last_convolution").output).predict_on_batch(images)
    kernel = model.get_layer("logits").get_weights()[0]
    expected = np.maximum(np.einsum("nhwc,cn->nhw", maps, kernel[:, classes]), 0)
    expected /= np.maximum(expected.max(axis=(1, 2), keepdims=True), 1e-12)
    heat = explain.grad_cam(model, images, classes)
    assert heat.shape == (5, 6, 6)
    assert heat.dtype == np.float32
    assert np.allclose(heat, expected, atol=1e-5)
    assert (heat.max(axis=(1, 2)) == 1).sum() >= 3


def test_an_image_is_explained_alike_alone_and_among_others():
    keras.utils.set_random_seed(9)
    model = residual_cnn(24, 2, widths=(6,), blocks=(1,), dropout=0.5)
    images = np.random.default_rng(9).integers(0, 256, size=(3, 24, 24, 3), dtype=np.uint8)
    together = explain.grad_cam(model, images, np.array([0, 1, 0]))
    alone = explain.grad_cam(model, images[1:2], np.array([1]))
    assert np.allclose(together[1], alone[0], atol=1e-5)


def pooled(whole):
    """As `by_hand` for [[1, 0], [0, 1]]; unless `whole`, a block that adds nothing pools the maps to one place."""
    inputs = keras.Input((8, 8, 3))
    maps = keras.layers.Conv2D(2, 1, use_bias=False, name="maps")
    x = maps(inputs)
    if not whole:
        inside = keras.layers.Conv2D(2, 1, use_bias=False, kernel_initializer="zeros", name="inside")(x)
        x = keras.layers.Add()([keras.layers.AveragePooling2D(8)(x), keras.layers.MaxPooling2D(8)(inside)])
    x = keras.layers.Activation("linear", name="last_convolution")(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    x = keras.layers.Dense(2, use_bias=False, name="logits")(x)
    model = keras.Model(inputs, keras.layers.Activation("softmax")(x))
    maps.set_weights(by_hand([[1, 0], [0, 1]]).get_layer("last_convolution").get_weights())
    model.get_layer("logits").set_weights([np.eye(2)])
    return model


def test_where_the_last_maps_have_one_place_the_last_layer_with_more_is_taken_that_nothing_bypasses():
    images, classes = np.stack([spots(), spots()]), np.array([0, 1])
    assert explain.GradCam(pooled(whole=True)).layer == "last_convolution"
    assert explain.GradCam(pooled(whole=False)).layer == "maps"
    taken = explain.grad_cam(pooled(whole=False), images, classes)
    assert taken.shape == (2, 8, 8)
    assert np.allclose(taken, explain.grad_cam(pooled(whole=True), images, classes))


def test_the_parts_of_a_network_are_made_once():
    model = pooled(whole=False)
    heat = explain.GradCam(model)
    before = len(model.get_layer("logits")._inbound_nodes)
    first, again = (heat(spots()[None], np.array([0])) for _ in range(2))
    assert np.array_equal(first, again)
    assert len(model.get_layer("logits")._inbound_nodes) == before


def test_a_network_computing_in_sixteen_bits_can_be_explained():
    keras.utils.set_random_seed(8)
    try:
        keras.mixed_precision.set_global_policy("mixed_bfloat16")
        model = residual_cnn(24, 4, widths=(6, 8), blocks=(1, 1))
    finally:
        keras.mixed_precision.set_global_policy("float32")
    image = np.random.default_rng(8).integers(0, 256, size=(1, 24, 24, 3), dtype=np.uint8)
    maps = [explain.grad_cam(model, image, np.array([label])) for label in range(4)]
    assert max(heat.max() for heat in maps) == 1
    assert all(np.isfinite(heat).all() for heat in maps)


def single(weights):
    """As `by_hand`, with one score z for the second of two classes."""
    scored = by_hand(weights)
    score = scored.get_layer("logits").output
    answers = keras.layers.Softmax()(keras.layers.Concatenate()([keras.layers.Rescaling(0.0)(score), score]))
    return keras.Model(scored.inputs, answers)


def test_a_single_score_speaks_for_the_second_class_and_its_negative_for_the_first():
    model = single([[1], [-1]])
    assert model.output.shape == (None, 2)
    first, second = explain.grad_cam(model, np.stack([spots(), spots()]), np.array([0, 1]))
    assert np.allclose(second[1:3, 1:3], 1)
    assert second[5:7, 5:8].max() == 0
    assert np.allclose(first[5:7, 5:8], 1)
    assert first[1:3, 1:3].max() == 0


def with_metadata():
    """The score of the only class: the red map times the metadata, which may turn its sign."""
    image, metadata = keras.Input((8, 8, 3), name="image"), keras.Input((1,), name="metadata")
    x = keras.layers.Conv2D(1, 1, use_bias=False, name="last_convolution")(image)
    x = keras.layers.GlobalAveragePooling2D()(x)
    x = keras.layers.Multiply(name="features")([x, keras.layers.Identity(name="told")(metadata)])
    x = keras.layers.Dense(1, use_bias=False, name="logits")(x)
    model = keras.Model([image, metadata], keras.layers.Activation("sigmoid")(x))
    model.set_weights([np.array([1, 0, 0]).reshape(1, 1, 3, 1), np.ones((1, 1))])
    return model


def test_metadata_have_their_say_in_the_map():
    images, metadata = np.stack([spots()] * 2), np.array([[1.0], [-1.0]], dtype=np.float32)
    for_it, against = explain.grad_cam(with_metadata(), images, np.array([0, 0]), metadata)
    assert np.allclose(for_it[1:3, 1:3], 1)
    assert (against == 0).all()


@pytest.mark.parametrize(
    ("model", "metadata"), [(with_metadata, None), (lambda: by_hand([[1], [1]]), np.zeros((1, 1)))]
)
def test_metadata_missing_or_not_wanted(model, metadata):
    with pytest.raises(LesionbookError, match="pass metadata to a network that reads them"):
        explain.grad_cam(model(), spots()[None], np.array([0]), metadata)


def test_kernels_are_those_of_the_first_or_the_named_convolution():
    model = residual_cnn(24, 2, widths=(6, 8), blocks=(1, 1))
    found = explain.kernels(model)
    assert found.shape == (6, 3, 3, 3)
    stem = model.get_layer("stem_convolution").get_weights()[0]
    assert all((found[number] == stem[..., number]).all() for number in range(6))
    assert explain.kernels(model, "stage2_block1_convolution1").shape == (8, 3, 3, 6)


@pytest.mark.parametrize(
    ("layer", "message"), [("stem_relu", "no convolution named 'stem_relu'"), ("stem", "no layer 'stem'")]
)
def test_kernels_of_no_convolution(layer, message):
    with pytest.raises(LesionbookError, match=message):
        explain.kernels(residual_cnn(24, 2, widths=(6,), blocks=(1,)), layer)


def test_kernels_of_a_network_without_convolution():
    inputs = keras.Input((4,))
    with pytest.raises(LesionbookError, match="has no convolution;"):
        explain.kernels(keras.Model(inputs, keras.layers.Dense(2)(inputs)))


def test_feature_maps_are_what_the_layer_answers():
    images = np.stack([spots(), np.zeros((8, 8, 3), dtype=np.uint8)])
    maps = explain.feature_maps(by_hand([[1], [1]]), images)
    assert maps.shape == (2, 8, 8, 2)
    assert np.allclose(maps[0, ..., 0], spots()[..., 0] / 255)
    assert np.allclose(maps[0, ..., 1], spots()[..., 2] / 255)
    assert (maps[1] == 0).all()
    assert explain.feature_maps(with_metadata(), images, "last_convolution").shape == (2, 8, 8, 1)
    with pytest.raises(LesionbookError, match="no layer 'first'"):
        explain.feature_maps(with_metadata(), images, "first")


def test_features_are_the_vector_that_enters_the_head(monkeypatch):
    monkeypatch.setattr(explain, "BATCH", 2)
    images = np.stack([spots(), 2 * spots() // 2, spots() // 2])
    means = images.mean(axis=(1, 2)) / 255
    assert np.allclose(explain.features(by_hand([[1], [1]]), images), means[:, [0, 2]], atol=1e-6)
    metadata = np.array([[1], [2], [4]], dtype=np.float32)
    found = explain.features(with_metadata(), images, metadata)
    assert found.shape == (3, 1)
    assert np.allclose(found[:, 0], means[:, 0] * 255 * metadata[:, 0], atol=1e-4)


def test_principal_components_lay_out_what_varies_most():
    rng = np.random.default_rng(0)
    places = rng.normal(size=(200, 2))
    places = np.linalg.qr(places - places.mean(axis=0))[0] * [9, 3]  # in two directions that know nothing of another
    turn = np.linalg.qr(rng.normal(size=(12, 12)))[0][:2]
    points = explain.embedding(places @ turn, seed=1)
    assert points.shape == (200, 2)
    assert list(points.columns) == [
        "principal component 1 (90% of the variance)",
        "principal component 2 (10% of the variance)",
    ]
    assert np.allclose(np.abs(points), np.abs(places))


@pytest.mark.parametrize("method", ["pca", "tsne"])
def test_an_embedding_keeps_groups_apart_and_is_the_same_each_time(method):
    rng = np.random.default_rng(2)
    groups = np.repeat([0, 1], 30)
    given = rng.normal(size=(60, 70)) + 8 * groups[:, None]
    points = explain.embedding(given, seed=3, method=method)
    assert points.equals(explain.embedding(given, seed=3, method=method))
    first, second = points[groups == 0], points[groups == 1]
    between = np.linalg.norm(first.mean() - second.mean())
    assert between > 2 * max(first.std().max(), second.std().max())


@pytest.mark.filterwarnings("error")
def test_an_embedding_of_a_dead_network_is_one_point():
    points = explain.embedding(np.ones((5, 8), dtype=np.float32), seed=0, method="tsne")
    assert (points == 0).all(axis=None)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("rows", [4, 8])
def test_an_embedding_of_few_images(rows):
    given = np.random.default_rng(5).normal(size=(rows, 6))
    assert np.isfinite(explain.embedding(given, seed=0, method="tsne")).all(axis=None)


@pytest.mark.parametrize(
    ("rows", "method", "message"), [(3, "pca", "3 images are too few"), (9, "umap", "method 'umap' is unknown")]
)
def test_an_embedding_that_cannot_be_made(rows, method, message):
    with pytest.raises(LesionbookError, match=message):
        explain.embedding(np.eye(rows), seed=0, method=method)
