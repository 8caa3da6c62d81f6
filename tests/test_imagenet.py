"""Files of ImageNet weights, found and downloaded; what stands for the network here is a function."""

import hashlib
import shutil
import socket
import urllib.error
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import applications
from keras.src.applications import efficientnet_v2
from keras.src.backend import config
from keras.src.utils import file_utils
from weight_files import write_weights

from lesionbook import imagenet, initial_weights
from lesionbook.architectures import pretrained, residual_cnn
from lesionbook.errors import LesionbookError

pytestmark = [
    pytest.mark.usefixtures("one_thread"),
    pytest.mark.filterwarnings("ignore:__array__ implementation"),  # in Keras's own conversion
]
FILE = "efficientnetv2-b0_notop.h5"
PUBLISHED = {  # as keras.applications has them; a change there is to be noticed
    "vgg16": ("vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5", "6d6bbae143d832006294945121d1f1fc"),
    "resnet50v2": ("resnet50v2_weights_tf_dim_ordering_tf_kernels_notop.h5", "fac2f116257151a9d068a22e544a4917"),
    "inception_resnet_v2": (
        "inception_resnet_v2_weights_tf_dim_ordering_tf_kernels_notop.h5",
        "d19885ff4a710c122648d3b5c3b684e4",
    ),
    "efficientnet_v2_b0": (FILE, "893217f2bb855e2983157299931e43ff"),
}


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """Keras's folder at ~/.keras in another home."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    monkeypatch.delenv("KERAS_HOME", raising=False)
    monkeypatch.setattr(config, "keras_home", lambda: str(home / ".keras"))
    return home / ".keras" / "models"


@pytest.fixture
def network(monkeypatch):
    """What a download does; by default there is no network, and what was asked for is noted."""
    asked = []

    def use(act):
        def retrieve(origin, target, hook=None):
            asked.append(origin)
            act(Path(target), hook)

        monkeypatch.setattr(file_utils, "urlretrieve", retrieve)

    def none(target, hook):
        raise urllib.error.URLError(OSError(-2, "Name or service not known"))

    use(none)
    use.asked = asked
    return use


@pytest.fixture(scope="module")
def source():
    keras.utils.set_random_seed(3)
    return applications.EfficientNetV2B0(include_top=False, weights=None, input_shape=(32, 32, 3))


@pytest.fixture(scope="module")
def drawn(source, tmp_path_factory):
    """A file such as the published one, with random weights."""
    path = tmp_path_factory.mktemp("published") / FILE
    write_weights(source, path)
    return path


@pytest.fixture
def published(drawn, monkeypatch):
    """The drawn file as the one that Keras publishes."""
    md5 = hashlib.md5(drawn.read_bytes()).hexdigest()
    monkeypatch.setitem(efficientnet_v2.WEIGHTS_HASHES, "b0", ("0" * 32, md5))
    return md5


def start(model=None):
    model = model or pretrained.efficientnet_v2_b0(32, 2)
    return model, initial_weights.load(model, "imagenet", architecture="efficientnet_v2_b0")


def check_loaded(model, source):
    names = [layer.name for layer in source.layers if layer.weights]
    assert len(names) > 100
    for mine, theirs in zip(names, (layer for layer in source.layers if layer.weights), strict=True):
        found = model.get_layer(mine).get_weights()
        assert all(np.array_equal(a, b) for a, b in zip(found, theirs.get_weights(), strict=True)), mine


def test_a_file_in_the_folder_of_keras_is_taken(cache, network, published, drawn, source):
    cache.mkdir(parents=True)
    shutil.copy(drawn, cache / FILE)
    keras.utils.set_random_seed(4)
    model = pretrained.efficientnet_v2_b0(32, 2)
    head = model.get_layer("logits").get_weights()
    _, origin = start(model)
    check_loaded(model, source)
    assert all(np.array_equal(a, b) for a, b in zip(model.get_layer("logits").get_weights(), head, strict=True))
    assert network.asked == []
    assert origin == initial_weights.Origin(
        "those of EfficientNetV2B0 trained on ImageNet",
        len([layer for layer in source.layers if layer.weights]),
        source.count_params(),
        FILE,
        hashlib.sha256(drawn.read_bytes()).hexdigest(),
    )


def test_what_learns_stays_as_it_was_built(cache, network, published, drawn):
    cache.mkdir(parents=True)
    shutil.copy(drawn, cache / FILE)
    model = pretrained.efficientnet_v2_b0(32, 2, trainable_from="block6h_expand_conv")
    learns = [variable.path for variable in model.trainable_variables]
    start(model)
    assert [variable.path for variable in model.trainable_variables] == learns
    assert any("block6h" in path for path in learns)


def test_a_missing_file_is_downloaded_once_and_in_silence(cache, network, published, drawn, source, capsys):
    def act(target, hook):
        hook(1, 100, 200)
        shutil.copy(drawn, target)

    network(act)
    timeout = socket.getdefaulttimeout()
    for _ in range(2):
        model, origin = start()
        check_loaded(model, source)
        assert origin.file == FILE
    assert [address.rsplit("/", 1)[-1] for address in network.asked] == [FILE]
    assert [path.name for path in cache.iterdir()] == [FILE]
    assert capsys.readouterr().out == ""
    assert socket.getdefaulttimeout() == timeout


@pytest.mark.parametrize("architecture", PUBLISHED)
def test_without_a_network_it_says_which_file_to_put_where(cache, network, architecture):
    name, md5 = PUBLISHED[architecture]
    size = 75 if architecture == "inception_resnet_v2" else 33
    model = getattr(pretrained, architecture)(size, 2)
    before = model.get_weights()
    with pytest.raises(LesionbookError) as caught:
        initial_weights.load(model, "imagenet", architecture=architecture)
    assert str(caught.value) == (
        f"The ImageNet weights of {architecture} could not be downloaded (Name or service not known); put "
        f"{name} (MD5 {md5}) into ~/.keras/models, or write weights: none in the study file."
    )
    assert len(network.asked) == 1 and network.asked[0].endswith(f"/{name}")
    assert list(cache.iterdir()) == []
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))


def half(target, hook):
    target.write_bytes(b"half of it")
    raise urllib.error.ContentTooShortError("retrieval incomplete: got only 10 out of 20 bytes", None)


def silent(target, hook):
    target.write_bytes(b"half of it")
    assert socket.getdefaulttimeout() == imagenet.PATIENCE, "a network that answers nothing must not hold up a run"
    raise TimeoutError("timed out")


def other(target, hook):
    target.write_bytes(b"another file")


def forbidden(target, hook):
    raise urllib.error.HTTPError("https://example.org/a", 403, "Forbidden", None, None)


def full(target, hook):
    target.write_bytes(b"half of it")
    raise OSError(28, "No space left on device", str(target))


@pytest.mark.parametrize(
    ("act", "reason"),
    [
        (half, "retrieval incomplete: got only 10 out of 20 bytes"),
        (silent, "timed out"),
        (other, "what came is not the published file"),
        (forbidden, "Forbidden"),
        (full, "no space left on device"),
    ],
)
def test_nothing_of_a_failed_download_is_left(cache, network, published, tmp_path, act, reason):
    network(act)
    with pytest.raises(LesionbookError) as caught:
        start()
    said = str(caught.value)
    assert said == (
        f"The ImageNet weights of efficientnet_v2_b0 could not be downloaded ({reason}); put {FILE} (MD5 {published}) "
        "into ~/.keras/models, or write weights: none in the study file."
    )
    assert list(cache.iterdir()) == []
    assert socket.getdefaulttimeout() is None


def test_an_interrupted_download_leaves_nothing(cache, network, published):
    def act(target, hook):
        target.write_bytes(b"half of it")
        raise KeyboardInterrupt

    network(act)
    with pytest.raises(KeyboardInterrupt):
        start()
    assert list(cache.iterdir()) == []
    assert file_utils.get_file.__module__ == "keras.src.utils.file_utils"


def test_a_folder_that_cannot_be_made_is_one_sentence(cache, network, published):
    cache.parent.write_text("a file where the folder should be")
    with pytest.raises(LesionbookError, match=r"could not be downloaded \(not a directory\); put "):
        start()


def test_a_file_with_a_wrong_checksum_is_refused_and_kept(cache, network, published):
    cache.mkdir(parents=True)
    (cache / FILE).write_bytes(b"something else")
    with pytest.raises(LesionbookError) as caught:
        start()
    assert str(caught.value) == (
        f"~/.keras/models/{FILE} is not the published file of ImageNet weights; replace it by {FILE} (MD5 {published})"
        ", or delete it to have it downloaded."
    )
    assert (cache / FILE).read_bytes() == b"something else"
    assert network.asked == []


def test_a_sha256_is_understood_as_well(cache, network, drawn, source, monkeypatch):
    sha256 = hashlib.sha256(drawn.read_bytes()).hexdigest()
    monkeypatch.setitem(efficientnet_v2.WEIGHTS_HASHES, "b0", ("0" * 32, sha256))
    cache.mkdir(parents=True)
    shutil.copy(drawn, cache / FILE)
    model, _ = start()
    check_loaded(model, source)
    monkeypatch.setitem(efficientnet_v2.WEIGHTS_HASHES, "b0", ("0" * 32, "f" * 64))
    with pytest.raises(LesionbookError, match=r"replace it by .* \(SHA256 f{64}\)"):
        start()


def test_another_folder_of_keras_is_named_without_its_path(cache, network, tmp_path, monkeypatch):
    monkeypatch.setattr(config, "keras_home", lambda: str(tmp_path / "elsewhere"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "elsewhere"))
    with pytest.raises(LesionbookError, match=r"into \$KERAS_HOME/models, or write") as caught:
        start()
    assert str(tmp_path) not in str(caught.value)


def test_a_network_without_imagenet_weights_is_refused():
    model = residual_cnn.residual_cnn(16, 2, widths=(4,), blocks=(1,))
    with pytest.raises(
        LesionbookError,
        match=r"^weights: Keras has no ImageNet weights for residual_cnn; write none, a file or an experiment in place",
    ):
        initial_weights.load(model, "imagenet", architecture="residual_cnn")


def test_every_pretrained_network_has_its_application():
    builders = set(pretrained.__all__) - {"unfreeze"}
    assert set(imagenet.APPLICATIONS) == builders == set(PUBLISHED)
