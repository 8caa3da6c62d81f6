import keras
import numpy as np
import pytest

from lesionbook import explain
from lesionbook.architectures.residual_cnn import residual_cnn

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
