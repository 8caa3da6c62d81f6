"""What every architecture must do, on the smallest images it takes."""

import importlib.util
import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import keras
import numpy as np
import pytest

from lesionbook import explain
from lesionbook.architectures import description, pretrained, resnet34
from lesionbook.architectures.image_and_metadata import TRUNKS, image_and_metadata
from lesionbook.architectures.normalized_cnn import normalized_cnn
from lesionbook.architectures.plain_cnn import plain_cnn
from lesionbook.architectures.residual_cnn import residual_cnn
from lesionbook.architectures.vgg16_from_scratch import vgg16_from_scratch
from lesionbook.errors import LesionbookError

pytestmark = [
    pytest.mark.usefixtures("one_thread"),
    pytest.mark.filterwarnings("ignore:__array__ implementation"),  # in Keras's own conversion
]

TINY = {"widths": (4,), "blocks": (1,)}
FINE_TUNED = {"pooling": "flatten", "dense": (8, 8), "normalized": True, "trainable_from": "block5_conv1"}
MODELS = {
    "plain": partial(plain_cnn, 12, 2, filters=(4,) * 6),
    "plain_tanh": partial(plain_cnn, 12, 3, filters=(4,) * 6, activation="tanh", outputs="softmax"),
    "normalized_softmax": partial(normalized_cnn, 22, 2, filters=(4,) * 3, dense=8, activation="softmax"),
    "normalized_relu": partial(normalized_cnn, 22, 2, filters=(4,) * 3, dense=8, bias="all"),
    "vgg16_from_scratch": partial(vgg16_from_scratch, 32, 2, filters=(4, 4, 8, 8, 8), dense=(8, 8)),
    "resnet34": partial(resnet34.resnet34, 32, 3, plan=((4, 1, 2), (8, 2, 2))),
    "resnet34_with_bias": partial(resnet34.resnet34, 32, 2, plan=((4, 1, 2),), bias=True, outputs="single_sigmoid"),
    "residual": partial(residual_cnn, 20, 3, **TINY),
    "image_and_metadata": partial(image_and_metadata, 20, 3, columns=5, options=TINY),
    "vgg16": partial(pretrained.vgg16, 32, 3),
    "vgg16_fine_tuned": partial(pretrained.vgg16, 32, 2, outputs="single_sigmoid", **FINE_TUNED),
    "efficientnet_v2_b0": partial(pretrained.efficientnet_v2_b0, 32, 3),
    "resnet50v2": partial(pretrained.resnet50v2, 32, 3),
    "inception_resnet_v2": partial(pretrained.inception_resnet_v2, 75, 2),
}


@pytest.fixture(scope="module", params=MODELS)
def model(request):
    keras.utils.set_random_seed(4)
    return MODELS[request.param]()


def examples(model, count=3):
    """Images, and whatever else the model takes."""
    rng = np.random.default_rng(1)
    shapes = [inputs.shape[1:] for inputs in model.inputs]
    images = rng.integers(0, 256, size=(count, *shapes[0]), dtype=np.uint8)
    return [images] + [rng.normal(size=(count, *shape)).astype("float32") for shape in shapes[1:]]


def answers(model, inputs):
    return keras.ops.convert_to_numpy(model(inputs if len(inputs) > 1 else inputs[0], training=False))


def test_flat_with_the_named_layers(model):
    assert not any(isinstance(layer, keras.Model) for layer in model.layers)
    assert model.layers[0].name == "image"
    assert len(model.get_layer("last_convolution").output.shape) == 4
    assert len(model.get_layer("features").output.shape) == 2
    for name in ("last_convolution", "logits", "probabilities"):
        assert model.get_layer(name).compute_dtype == "float32"
    assert model.layers[-1].name == "probabilities"
    trunk = keras.Model(model.inputs[0], model.get_layer("features").output)
    assert 0 < trunk.count_params() < model.count_params()


def test_layers_of_every_architecture_are_listed_with_blocks(model):
    table = description.layers(model)
    assert table["parameters"].sum() == model.count_params()
    assert table["block"].notna().all()
    assert (table["block"] != table["block"].shift()).sum() < 50


def test_probabilities_of_an_image(model):
    found = answers(model, examples(model))
    assert found.shape == (3, model.output.shape[-1])
    assert found.dtype == np.float32
    assert ((found >= 0) & (found <= 1)).all()
    if model.name == "plain_cnn" and model.get_layer("probabilities").activation is keras.activations.sigmoid:
        found /= found.sum(axis=1, keepdims=True)
    assert np.allclose(found.sum(axis=1), 1, atol=1e-6)


def test_whole_numbers_and_fractions_are_read_alike(model):
    images, *rest = examples(model)
    assert np.array_equal(answers(model, [images, *rest]), answers(model, [images.astype(np.float32), *rest]))


def test_a_saved_network_answers_the_same(model, tmp_path):
    inputs = examples(model)
    model.save(tmp_path / "model.keras")
    read = keras.models.load_model(tmp_path / "model.keras", safe_mode=True)
    assert [layer.name for layer in read.layers] == [layer.name for layer in model.layers]
    assert [layer.trainable for layer in read.layers] == [layer.trainable for layer in model.layers]
    assert np.array_equal(answers(read, inputs), answers(model, inputs))


def test_grad_cam(model):
    images, *metadata = examples(model)
    heat = explain.grad_cam(model, images, np.array([1, 0, 1]), *metadata)
    last = model.get_layer("last_convolution").output.shape[1:3]
    assert heat.shape == (3, *explain.GradCam(model).places)
    assert heat.shape[1:] == last if max(last) > 1 else max(heat.shape[1:]) > 1  # a single place says nothing of where
    assert np.isfinite(heat).all()
    assert all(highest in (0, 1) for highest in heat.max(axis=(1, 2)))


def test_a_training_step_changes_what_learns_and_nothing_else(model):
    before = model.get_weights()
    learns = {id(variable) for variable in model.trainable_variables}
    moves = {
        id(variable)
        for layer in model.layers
        if isinstance(layer, keras.layers.BatchNormalization) and layer.trainable
        for variable in layer.non_trainable_variables
    }
    # Compiling takes longer than the step: a minute for the largest networks.
    eager = len(model.layers) > 150
    model.compile(keras.optimizers.SGD(0.5), "categorical_crossentropy", run_eagerly=eager)
    targets = np.eye(model.output.shape[-1], dtype="float32")[[0, 1, 1]]
    inputs = examples(model)
    try:
        model.train_on_batch(inputs if len(inputs) > 1 else inputs[0], targets)
        after = model.get_weights()
    finally:
        model.set_weights(before)
    changed = {
        id(variable)
        for variable, old, new in zip(model.weights, before, after, strict=True)
        if not np.array_equal(old, new)
    }
    assert changed <= learns | moves
    assert moves <= changed
    assert id(model.get_layer("logits").kernel) in changed
    # Biases behind batch normalization, and kernels behind a rectifier that is closed, have no gradient.
    assert len(changed & learns) >= 0.4 * len(learns)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="this is that test")
@pytest.mark.skipif(importlib.util.find_spec("jax") is None, reason="JAX is not installed")
def test_every_architecture_builds_and_steps_on_jax():
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", __file__, "-k", "training_step"],
        cwd=Path(__file__).parent.parent,
        env=os.environ | {"KERAS_BACKEND": "jax"},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-1000:]
    assert f"{len(MODELS)} passed" in run.stdout


# Images together with metadata


def test_metadata_and_image_both_change_the_answer():
    keras.utils.set_random_seed(5)
    model = MODELS["image_and_metadata"]()
    images, metadata = examples(model)
    assert [inputs.name for inputs in model.inputs] == ["image", "metadata"]
    found = answers(model, [images, metadata])
    assert not np.allclose(found, answers(model, [images, metadata[::-1]]), atol=1e-4)
    assert not np.allclose(found, answers(model, [255 - images, metadata]), atol=1e-4)


def test_metadata_by_hand():
    trunk = residual_cnn(20, 3, **TINY)
    head = trunk.get_layer("logits").count_params()
    joined = (4 + 5 + 1) * 64 + (64 + 1) * 3
    found = description.parameters(MODELS["image_and_metadata"]())
    assert found["total"] == trunk.count_params() - head + joined


@pytest.mark.parametrize("trunk", ["plain_cnn", "resnet34", "vgg16"])
def test_other_trunks_join_metadata(trunk):
    options = {"plain_cnn": {"filters": (2,) * 3}, "resnet34": {"plan": ((2, 1, 1),)}}.get(trunk)
    model = image_and_metadata(32, 3, columns=2, trunk=trunk, options=options)
    features = TRUNKS[trunk](32, 3, **(options or {})).get_layer("features").output.shape[-1]
    assert model.get_layer("joined").output.shape[-1] == features + 2
    assert answers(model, examples(model)).shape == (3, 3)


def test_an_unknown_trunk_is_refused():
    with pytest.raises(LesionbookError, match=r"no trunk is called 'resnet'; set trunk .* residual_cnn, "):
        image_and_metadata(32, 3, columns=2, trunk="resnet")


# Sizes and number formats


@pytest.mark.parametrize(
    ("build", "size"),
    [
        (plain_cnn, 3),
        (vgg16_from_scratch, 31),
        (pretrained.vgg16, 31),
        (pretrained.resnet50v2, 31),
        (pretrained.inception_resnet_v2, 74),
        (pretrained.efficientnet_v2_b0, 31),
    ],
)
def test_images_that_are_too_small_are_refused_in_a_sentence(build, size):
    with pytest.raises(
        LesionbookError, match=f"{build.__name__}: images of {size} pixels .* at least {size + 1}; raise"
    ):
        build(size, 2)


@pytest.mark.parametrize(
    "name", ["plain", "normalized_relu", "vgg16_from_scratch", "resnet34", "vgg16", "image_and_metadata"]
)
def test_in_sixteen_bits_maps_scores_and_probabilities_are_of_thirty_two(name):
    try:
        keras.mixed_precision.set_global_policy("mixed_bfloat16")
        model = MODELS[name]()
    finally:
        keras.mixed_precision.set_global_policy("float32")
    for layer in ("last_convolution", "logits", "probabilities"):
        assert model.get_layer(layer).output.dtype == "float32"
    found = answers(model, examples(model))
    assert found.dtype == np.float32
    assert np.isfinite(found).all()


def test_leaky_slope_and_dropouts_are_those_given():
    model = plain_cnn(8, 2, filters=(2,) * 6, alpha=0.1, dropout=0.25, dense_dropout=0.5)
    assert model.get_layer("block2_activation3").negative_slope == pytest.approx(0.1)
    rates = [layer.rate for layer in model.layers if isinstance(layer, keras.layers.Dropout)]
    assert rates == [0.25, 0.25, 0.5, 0.5]
    plain = keras.Model(model.inputs[0], model.get_layer("block1_convolution1").output)
    active = keras.Model(model.inputs[0], model.get_layer("block1_activation1").output)
    inputs = examples(model)
    maps = answers(plain, inputs)
    assert np.allclose(answers(active, inputs), np.where(maps > 0, maps, 0.1 * maps), atol=1e-6)


def test_images_of_networks_from_scratch_are_scaled_to_one():
    for name in ("plain", "normalized_relu", "vgg16_from_scratch", "resnet34"):
        model = MODELS[name]()
        images = examples(model)[0]
        scaled = answers(keras.Model(model.inputs[0], model.get_layer("scale_to_unit").output), [images])
        assert np.allclose(scaled, images / 255, atol=1e-6)
