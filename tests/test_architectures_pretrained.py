"""Networks of keras.applications in flat models: their scaling, names, weights, and what of them learns."""

import keras
import numpy as np
import pytest
from keras import applications

from lesionbook.architectures import freezing, pretrained
from lesionbook.errors import LesionbookError

pytestmark = [
    pytest.mark.usefixtures("one_thread"),
    pytest.mark.filterwarnings("ignore:__array__ implementation"),  # in Keras's own conversion
]

BASES = {
    "vgg16": (pretrained.vgg16, applications.VGG16, applications.vgg16.preprocess_input, "block5_pool", 40),
    "resnet50v2": (
        pretrained.resnet50v2,
        applications.ResNet50V2,
        applications.resnet_v2.preprocess_input,
        "last_convolution",
        33,
    ),
    "inception_resnet_v2": (
        pretrained.inception_resnet_v2,
        applications.InceptionResNetV2,
        applications.inception_resnet_v2.preprocess_input,
        "last_convolution",
        80,
    ),
    "efficientnet_v2_b0": (
        pretrained.efficientnet_v2_b0,
        applications.EfficientNetV2B0,
        applications.efficientnet_v2.preprocess_input,
        "last_convolution",
        40,
    ),
}


@pytest.fixture(scope="module", params=BASES)
def case(request):
    """Builder, its model, the application with other weights, its preprocessing, the last layer of the base."""
    build, application, preprocess, last, size = BASES[request.param]
    keras.utils.set_random_seed(6)
    keras.utils.clear_session()  # so that Keras numbers layers as in a new process
    reference = application(include_top=False, weights=None, input_shape=(size, size, 3))
    return build, build(size, 3), reference, preprocess, last


def values(model, images):
    return keras.ops.convert_to_numpy(model(images, training=False))


def random_images(size):
    return np.random.default_rng(2).integers(0, 256, size=(2, size, size, 3), dtype=np.uint8)


def test_names_are_those_of_keras_whatever_was_built_before(case):
    build, model, reference, *_ = case
    names = [layer.name for layer in reference.layers[1:]]
    assert set(names) <= {layer.name for layer in model.layers}
    again = build(model.inputs[0].shape[1], 3)
    assert [layer.name for layer in again.layers] == [layer.name for layer in model.layers]


def test_on_raw_images_it_answers_as_the_application_on_preprocessed_ones(case):
    """With the application's own weights in its own order: scaling, wiring and order of weights are the same."""
    _, model, reference, preprocess, last = case
    base = keras.Model(model.inputs[0], model.get_layer(last).output)
    base.set_weights(reference.get_weights())
    images = random_images(model.inputs[0].shape[1])
    expected = values(reference, preprocess(images.astype("float32")))
    assert expected.std() > 0
    assert np.allclose(values(base, images), expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())
    assert not np.allclose(values(base, images / 255.0), expected, rtol=0.05, atol=0.05 * np.abs(expected).max())


@pytest.mark.parametrize(
    ("name", "layer"),
    [
        ("vgg16", "subtract_imagenet_mean"),
        ("resnet50v2", "scale_to_plus_minus_one"),
        ("inception_resnet_v2", "scale_to_plus_minus_one"),
    ],
)
def test_images_are_scaled_as_the_application_asks(name, layer):
    build, _, preprocess, _, size = BASES[name]
    model = build(size, 2)
    images = random_images(size)
    scaled = keras.Model(model.inputs[0], model.get_layer(layer).output)
    assert np.allclose(values(scaled, images), preprocess(images.astype("float32")), atol=1e-4)


def test_efficientnet_scales_its_images_itself_and_once():
    model = pretrained.efficientnet_v2_b0(40, 2)
    images = random_images(40)
    scaled = keras.Model(model.inputs[0], model.get_layer("normalization").output)
    expected = (images / 255 - np.array([0.485, 0.456, 0.406])) / np.array([0.229, 0.224, 0.225])
    assert np.allclose(values(scaled, images), expected, atol=1e-4)
    assert applications.efficientnet_v2.preprocess_input(images) is images


# What learns


def snapshot(model):
    return {layer.name: [np.array(weight) for weight in layer.get_weights()] for layer in model.layers if layer.weights}


def changes_of_a_step(model):
    """Names of the layers with weights that a training step changes."""
    model.compile(keras.optimizers.SGD(0.1), "categorical_crossentropy", run_eagerly=True)
    images = np.random.default_rng(7).integers(0, 256, size=(3, *model.inputs[0].shape[1:])).astype("float32")
    before = snapshot(model)
    model.train_on_batch(images, np.eye(model.output.shape[-1], dtype="float32")[[0, 1, 1]])
    after = snapshot(model)
    return {
        name
        for name, weights in before.items()
        if not all(np.array_equal(one, other) for one, other in zip(weights, after[name], strict=True))
    }


def normalizations(model):
    return {layer.name for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)}


def test_a_frozen_base_works_in_training_as_in_prediction():
    keras.utils.set_random_seed(8)
    model = pretrained.efficientnet_v2_b0(40, 2)
    features = keras.Model(model.inputs[0], model.get_layer("features").output)
    images = random_images(40)
    assert np.array_equal(
        keras.ops.convert_to_numpy(features(images, training=True)),
        keras.ops.convert_to_numpy(features(images, training=False)),
    )
    assert features.trainable_variables == []
    assert changes_of_a_step(model) == {"logits"}


def test_fine_tuning_keeps_normalization_in_the_base_as_in_prediction():
    keras.utils.set_random_seed(8)
    model = pretrained.efficientnet_v2_b0(40, 2)
    begun = pretrained.unfreeze(model, from_layer="block6h_expand_conv")
    assert begun[0] == "block6h_expand_conv"
    assert begun[-1] == "top_conv"
    assert normalizations(model).isdisjoint(begun)
    features = keras.Model(model.inputs[0], model.get_layer("features").output)
    images = random_images(40)
    assert np.array_equal(
        keras.ops.convert_to_numpy(features(images, training=True)),
        keras.ops.convert_to_numpy(features(images, training=False)),
    )
    assert changes_of_a_step(model) == {*begun, "logits"}


def test_all_of_a_base_learns_as_from_scratch():
    keras.utils.set_random_seed(8)
    model = pretrained.efficientnet_v2_b0(40, 2, trainable_from="all")
    changed = changes_of_a_step(model)
    assert normalizations(model) <= changed
    assert {"stem_conv", "top_conv", "logits"} <= changed
    features = keras.Model(model.inputs[0], model.get_layer("features").output)
    images = random_images(40)
    assert not np.allclose(features(images, training=True), features(images, training=False))
    assert model.get_layer("block6h_drop").rate > 0


def test_normalization_in_the_head_learns_while_that_of_the_base_does_not():
    keras.utils.set_random_seed(8)
    head = {"dense": (8,), "normalized": True, "trainable_from": "conv5_block3_3_conv"}
    model = pretrained.resnet50v2(33, 2, **head)
    changed = changes_of_a_step(model)
    assert changed == {"conv5_block3_3_conv", "dense1", "dense1_normalization", "logits"}


def test_vgg16_learns_from_the_named_layer():
    model = pretrained.vgg16(32, 2, trainable_from="block5_conv1")
    learns = [layer.name for layer in model.layers if layer.trainable_weights]
    assert learns == ["block5_conv1", "block5_conv2", "block5_conv3", "logits"]
    assert [layer.name for layer in pretrained.vgg16(32, 2, trainable_from="").layers if layer.trainable_weights] == [
        "logits"
    ]


def test_the_last_thirty_layers_are_counted_as_in_the_published_model():
    """Hitta's model ends with pooling, seven dense layers, dropout and the answer: ten, so twenty are of the base."""
    model = pretrained.inception_resnet_v2(75, 2)
    base = [layer.name for layer in model.layers]
    base = base[base.index("conv2d") : base.index("last_convolution")]
    twenty = set(base[-20:])
    begun = pretrained.unfreeze(model, last=30)
    assert begun == [name for name in base[-20:] if model.get_layer(name).weights and name not in normalizations(model)]
    assert twenty & normalizations(model)
    assert {"conv_7b", "block8_10_conv"} <= set(begun)
    assert len([layer for layer in model.layers if layer.trainable_weights]) == 8 + len(begun)
    assert changes_of_a_step(model) <= {*begun, *(f"dense{k}" for k in range(1, 8)), "logits"}


def test_unfreezing_survives_saving(tmp_path):
    model = pretrained.vgg16(32, 2)
    pretrained.unfreeze(model, from_layer="block4_conv3")
    model.save(tmp_path / "model.keras")
    read = keras.models.load_model(tmp_path / "model.keras")
    learns = [layer.name for layer in read.layers if layer.trainable_weights]
    assert learns == ["block4_conv3", "block5_conv1", "block5_conv2", "block5_conv3", "logits"]


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({}, "give either last or from_layer"),
        ({"last": 3, "from_layer": "block5_conv1"}, "give either last or from_layer"),
        ({"from_layer": "block5_conv9"}, "vgg16 has no layer 'block5_conv9'; did you mean 'block5_conv"),
        ({"last": 2}, "no layer of the base begins to learn by 'last: 2'"),
        ({"from_layer": "features"}, "no layer of the base begins to learn by 'from_layer: features'"),
    ],
)
def test_what_cannot_be_meant_is_refused(asked, sentence):
    with pytest.raises(LesionbookError, match=sentence):
        freezing.unfreeze(pretrained.vgg16(32, 2), **asked)


def test_a_base_without_the_named_layer_is_refused():
    with pytest.raises(LesionbookError, match="vgg16 has no layer 'block6_conv1'; did you mean"):
        pretrained.vgg16(32, 2, trainable_from="block6_conv1")


def test_layers_of_two_models_in_one_process_have_the_same_names():
    first, second = (pretrained.efficientnet_v2_b0(32, 2) for _ in range(2))
    names = [layer.name for layer in first.layers]
    assert names == [layer.name for layer in second.layers]
    assert names[1:3] == ["rescaling", "normalization"]
