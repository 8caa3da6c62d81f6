"""Initial weights from files and from other experiments."""

import dataclasses
import subprocess
import sys

import keras
import numpy as np
import pandas as pd
import pytest
import tiny_project
from keras import applications
from weight_files import write_weights

from lesionbook import initial_weights
from lesionbook.architectures import image_and_metadata, pretrained, residual_cnn
from lesionbook.errors import LesionbookError

pytestmark = [
    pytest.mark.usefixtures("one_thread"),
    pytest.mark.filterwarnings("ignore:__array__ implementation"),  # in Keras's own conversion
]
OPTIONS = {"widths": (4, 6), "blocks": (1, 1)}


@pytest.fixture
def project(tmp_path, monkeypatch):
    folder = tiny_project.make(tmp_path / "project")
    monkeypatch.chdir(folder)
    return folder


def small(seed, **options):
    keras.utils.set_random_seed(seed)
    return residual_cnn.residual_cnn(16, 2, **OPTIONS | options)


def state(model):
    return {layer.name: layer.get_weights() for layer in model.layers if layer.weights}


def same(one, other):
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def check_base_only(model, source, before):
    """Everything but the head is as in the source, the head as it was before."""
    after, expected = state(model), state(source)
    assert len(after) > 2
    for name, weights in after.items():
        assert same(weights, before[name] if name == "logits" else expected[name]), name
    assert not same(before["logits"], expected["logits"])


def put(model, project, study="tiny", step="first", profile="laptop"):
    folder = project / "build" / profile / study / step
    folder.mkdir(parents=True, exist_ok=True)
    model.save(folder / "model.keras")
    return folder / "model.keras"


def load(model, weights, architecture="residual_cnn", study="tiny", profile="laptop"):
    return initial_weights.load(model, weights, architecture=architecture, study=study, profile=profile)


# What may be written


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        ("none", None),
        ("imagenet", None),
        ("folder/a.h5", None),
        ("/deep/folder/a.weights.h5", None),
        ("~/a.keras", None),
        ("old.HDF5", None),
        ("vgg16", ("tiny", "vgg16")),
        ("ham10000-transfer/vgg16", ("ham10000-transfer", "vgg16")),
    ],
)
def test_only_an_experiment_must_run_before(weights, expected):
    assert initial_weights.needs(weights, "tiny") == expected


@pytest.mark.parametrize("weights", ["", "a/b/c", "/vgg16", "vgg16/", "weights/x/y.npz"])
def test_what_cannot_be_meant_is_refused(weights):
    with pytest.raises(
        LesionbookError, match=r"^weights: '.*' is neither none, imagenet, a file \(\.h5, .* study file"
    ):
        initial_weights.needs(weights, "tiny")


def test_the_plan_of_a_run_needs_no_keras(project):
    script = (
        "import sys; from lesionbook import initial_weights as i; i.needs('a/b', 's');"
        "i.check('first', study='tiny', profile='laptop'); print([m for m in ('keras', 'tensorflow', 'h5py') "
        "if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True, timeout=60)
    assert run.stdout == "[]\n"


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        ("imagnet", r"^weights: params/tiny\.yml has no experiment 'imagnet'; did you mean 'imagenet'\?$"),
        ("frist", "did you mean 'first'"),
        ("tiny/non", r"no experiment 'non'; there is explore, prepare, first, second, compare\.$"),
        ("tinny/first", r"^No study 'tinny' in params/ \(did you mean 'tiny'\?\)"),
        ("folder/a.h5", r"^weights: there is no file folder/a\.h5; write its path from the project's folder\.$"),
        ("params/tiny.h5", "there is no file"),
    ],
)
def test_what_does_not_exist_is_said_before_anything_runs(project, weights, said):
    for act in (initial_weights.check, lambda w, **run: load(small(1), w)):
        with pytest.raises(LesionbookError, match=said):
            act(weights, study="tiny", profile="laptop")


def test_what_exists_is_found_from_any_folder(project, monkeypatch):
    (project / "weights").mkdir()
    (project / "weights" / "a.h5").touch()
    monkeypatch.chdir(project / "weights")
    for weights in ("weights/a.h5", "none", "imagenet", "first", "tiny/second"):
        initial_weights.check(weights, study="tiny", profile="laptop")


# None


def test_none_leaves_the_random_numbers():
    model = small(1)
    before = model.get_weights()
    origin = load(model, "none")
    assert same(model.get_weights(), before)
    assert dataclasses.astuple(origin) == ("random numbers", 0, 0, "", "none")
    with pytest.raises(dataclasses.FrozenInstanceError):
        origin.layers = 1


# Another experiment


@pytest.mark.parametrize("weights", ["first", "tiny/first"])
def test_the_base_of_an_experiment_is_taken_over_and_the_head_is_not(project, weights):
    model, source = small(1), small(2)
    put(source, project)
    before = state(model)
    origin = load(model, weights)
    check_base_only(model, source, before)
    base = [layer for layer in model.layers if layer.weights and layer.name != "logits"]
    assert (origin.layers, origin.parameters) == (len(base), sum(layer.count_params() for layer in base))
    assert origin.description == "those that tiny/first ended with"
    assert origin.file == "model.keras"


def prepared(project, study, rows):
    """What the preparation of a study leaves: sides, and hashes of the pixels."""
    folder = project / "build" / "laptop" / study / "prepare"
    folder.mkdir(parents=True, exist_ok=True)
    frame = pd.DataFrame(rows, columns=["image_id", "split", "content"])
    frame[["image_id", "split"]].to_csv(folder / "index.csv", index=False)
    frame[["image_id", "content"]].to_csv(folder / "files.csv", index=False)
    return folder


def test_a_network_of_another_study_must_not_know_the_test_images(project):
    tiny_project.write_study(project, tiny_project.STUDY, "other")
    put(small(2), project, study="other")
    with pytest.raises(LesionbookError, match="has no preparation under the profile laptop"):
        load(small(1), "other/first")
    own = prepared(project, "tiny", [("a", "train", "1"), ("b", "test", "2")])
    prepared(project, "other", [("a", "train", "1"), ("b", "test", "2")])
    assert load(small(1), "other/first").description == "those that other/first ended with"
    prepared(project, "other", [("x", "train", "2")])
    with pytest.raises(LesionbookError, match="trained on 1 of the 1 validation and test images of this study, b for"):
        load(small(1), "other/first")
    index = pd.read_csv(own / "index.csv")
    index.assign(image_id=["a-v3", "b"], source_id=["a", "b"]).to_csv(own / "index.csv", index=False)
    with pytest.raises(LesionbookError, match="trained on 1 of the 1"):
        load(small(1), "other/first")


def test_an_experiment_on_other_classes_and_another_size_serves_as_well(project):
    source = residual_cnn.residual_cnn(24, 5, **OPTIONS)
    put(source, project)
    model = small(1)
    load(model, "first")
    assert same(state(model)["stem_convolution"], state(source)["stem_convolution"])


def test_the_hash_follows_the_weights_and_not_the_time_of_saving(project):
    source = small(2)
    file = put(source, project)
    first, bytes_before = load(small(1), "first"), file.read_bytes()
    file.unlink()
    keras.utils.set_random_seed(9)
    source.get_layer("logits").set_weights([weight + 1 for weight in source.get_layer("logits").get_weights()])
    put(source, project)
    assert file.read_bytes() != bytes_before
    assert load(small(1), "first").sha256 == first.sha256, "the head is not taken over"
    assert len(first.sha256) == 64
    layer = source.get_layer("stem_convolution")
    layer.set_weights([weight * 1.001 for weight in layer.get_weights()])
    put(source, project)
    assert load(small(1), "first").sha256 != first.sha256


def test_the_trunk_of_a_network_with_metadata_can_start_from_images_alone(project):
    source = small(2)
    put(source, project)
    model = image_and_metadata.image_and_metadata(16, 2, columns=3, trunk="residual_cnn", options=OPTIONS)
    dense = state(model)["dense1"]
    origin = load(model, "first")
    assert origin.layers == len(state(source)) - 1
    assert same(state(model)["stem_convolution"], state(source)["stem_convolution"])
    assert same(state(model)["dense1"], dense)


def test_an_experiment_that_has_not_run_is_named_with_what_makes_it(project):
    put(small(2), project, profile="sample")
    with pytest.raises(LesionbookError) as caught:
        load(small(1), "first")
    assert str(caught.value) == (
        "weights: tiny/first has left no network under the profile laptop; run make report STUDY=tiny PROFILE=laptop "
        "first, or name an experiment that trains a network."
    )


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (
            lambda: small(2, widths=(4, 8)),
            r"^weights: tiny/first fits not all layers \(first 'stage2_.*'\) of the base",
        ),
        (lambda: small(2, blocks=(1, 2)), None),
        (lambda: small(2, blocks=(1,), widths=(4,)), "fits not all layers"),
        (
            lambda: pretrained.efficientnet_v2_b0(32, 2),
            r"^weights: tiny/first fits no layer of the base of residual_cnn as it is built here; name weights of this "
            r"architecture, with the same widths, in the study file\.$",
        ),
    ],
)
def test_a_network_that_does_not_set_every_layer_is_refused_and_changes_nothing(project, source, said):
    put(source(), project)
    model = small(1)
    before = model.get_weights()
    if said is None:  # all layers of the base are in the larger network
        assert load(model, "first").layers == len(state(model)) - 1
        return
    with pytest.raises(LesionbookError, match=said):
        load(model, "first")
    assert same(model.get_weights(), before)


@pytest.mark.parametrize("content", [b"", b"PK", b"no archive at all" * 100])
def test_a_damaged_model_is_refused(project, content):
    put(small(2), project).write_bytes(content)
    with pytest.raises(
        LesionbookError,
        match=r"^weights: build/laptop/tiny/first/model\.keras is damaged or no file of Keras; replace it\.$",
    ):
        load(small(1), "first")


# Files


def saving(model, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.name.endswith(".weights.h5"):
        model.save_weights(path)
    else:
        model.save(path)


@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")
@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("a.keras", saving),
        ("a.weights.h5", saving),
        ("a.h5", saving),
        ("b.h5", write_weights),
        ("c.hdf5", write_weights),
    ],
)
def test_every_kind_of_file_is_read(project, name, write):
    model, source = small(1), small(2)
    write(source, project / "my weights" / name)
    before = state(model)
    origin = load(model, f"my weights/{name}")
    check_base_only(model, source, before)
    assert origin.description == f"those of the file my weights/{name}"
    assert origin.file == name
    assert origin.sha256 == initial_weights.digest(project / "my weights" / name)
    assert str(project) not in str(origin)


def test_a_path_may_begin_with_the_home_folder(project, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    model, source = small(1), small(2)
    source.save(tmp_path / "a.keras")
    load(model, "~/a.keras")
    assert same(state(model)["stem_convolution"], state(source)["stem_convolution"])


@pytest.mark.parametrize("name", ["a.h5", "a.weights.h5", "a.keras"])
def test_a_damaged_file_is_refused(project, name):
    (project / name).write_bytes(b"nothing of Keras")
    with pytest.raises(LesionbookError, match=rf"^weights: {name} is damaged or no file of Keras; replace it\.$"):
        load(small(1), name)


def test_a_file_that_lacks_a_layer_is_refused(project):
    source = small(2)
    write_weights(keras.Model(source.inputs[0], source.get_layer("stage2_block1_relu1").output), project / "a.h5")
    with pytest.raises(
        LesionbookError, match=r"^weights: a\.h5 fits not all layers \(first 'stage2_block1_shortcut_.*'\)"
    ):
        load(small(1), "a.h5")


@pytest.mark.parametrize("name", ["a.h5", "a.weights.h5", "a.keras"])
def test_layers_of_other_names_are_taken_in_the_order_of_keras(project, name):
    """The published file of InceptionResNetV2, for one, numbers its layers otherwise."""
    keras.utils.set_random_seed(2)
    source = applications.EfficientNetV2B0(include_top=False, weights=None, input_shape=(32, 32, 3))
    expected = {layer.name: layer.get_weights() for layer in source.layers if layer.weights}
    for layer in source.layers:
        layer.name = f"other_{layer.name}"
    (write_weights if name == "a.h5" else saving)(source, project / name)
    model = pretrained.efficientnet_v2_b0(32, 2)
    origin = load(model, name, "efficientnet_v2_b0")
    assert origin.layers == len(expected)
    for key, weights in expected.items():
        assert same(model.get_layer(key).get_weights(), weights), key


def test_another_application_is_refused(project):
    source = applications.MobileNetV2(include_top=False, weights=None, input_shape=(32, 32, 3), alpha=0.35)
    write_weights(source, project / "a.h5")
    with pytest.raises(
        LesionbookError,
        match=r"^weights: a\.h5 does not hold the layers of efficientnet_v2_b0, by name or in Keras's order; name",
    ):
        load(pretrained.efficientnet_v2_b0(32, 2), "a.h5", "efficientnet_v2_b0")


def test_vgg16_starts_from_a_file_of_its_application(project):
    keras.utils.set_random_seed(2)
    source = applications.VGG16(include_top=False, weights=None, input_shape=(32, 32, 3))
    write_weights(source, project / "a.h5")
    model = pretrained.vgg16(32, 7)
    origin = load(model, "a.h5", "vgg16")
    assert (origin.layers, origin.parameters) == (13, 14_714_688)
    images = np.random.default_rng(1).integers(0, 256, (2, 32, 32, 3)).astype("float32")
    expected = source(applications.vgg16.preprocess_input(images.copy()), training=False)
    base = keras.Model(model.inputs[0], model.get_layer("block5_pool").output)
    assert float(np.std(expected)) > 0
    assert np.allclose(base(images, training=False), expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())
