import keras
import numpy as np
import pytest
from small_store import CLASSES, small_network, small_store

from lesionbook import training
from lesionbook.errors import LesionbookError
from lesionbook.images import Rows

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def store():
    return small_store()


class Pixel:
    """Answers with the red value of one pixel, so that what it was shown can be read from what it says."""

    def __init__(self, row=0, column=0):
        self.row, self.column, self.sizes = row, column, []

    def predict_on_batch(self, images):
        self.sizes.append(len(images))
        value = images[:, self.row, self.column, :1] / 255
        return np.concatenate([value, 1 - value], axis=1)


@pytest.fixture
def ordered(store):
    """Twelve images as the model sees them, whatever their place in the store."""
    positions = np.random.default_rng(0).permutation(len(store.index))[:12]
    return Rows(store.index.iloc[positions].reset_index(drop=True), CLASSES, store.array, positions)


def test_predictions_come_in_the_order_of_the_rows(ordered):
    model = Pixel()
    answers = training.predict(model, ordered, batch_size=5)
    assert model.sizes == [5, 5, 2]
    assert answers.dtype == np.float64
    assert np.allclose(answers[:, 0], ordered.images()[:, 0, 0, 0] / 255)
    assert np.allclose(answers.sum(axis=1), 1, atol=1e-12)


@pytest.mark.parametrize(("views", "turns", "mirrored"), [(1, 1, False), (4, 4, False), (8, 4, True)])
def test_views_are_averaged(ordered, views, turns, mirrored):
    answers = training.predict(Pixel(0, 2), ordered, views=views, batch_size=5)
    images = ordered.images()[:, :, :, 0] / 255
    seen = [np.rot90(images, turn, axes=(1, 2)) for turn in range(turns)]
    if mirrored:
        seen += [np.rot90(images[:, :, ::-1], turn, axes=(1, 2)) for turn in range(4)]
    assert len(seen) == views
    assert np.allclose(answers[:, 0], np.mean([view[:, 0, 2] for view in seen], axis=0))


def test_views_of_a_symmetric_image_agree_with_the_image(store):
    quarter = store.array[:, :4, :4].astype(int)
    square = quarter + quarter.transpose(0, 2, 1, 3)
    half = np.concatenate([square, square[:, :, ::-1]], axis=2)
    whole = (np.concatenate([half, half[:, ::-1]], axis=1) // 2).astype(np.uint8)
    rows = Rows(store.index, CLASSES, whole, np.arange(len(whole)))
    model = small_network()
    one, eight = (training.predict(model, rows, views=views) for views in (1, 8))
    assert np.allclose(one, eight, atol=1e-12)
    turned = Rows(store.index, CLASSES, store.array, np.arange(len(store.array)))
    assert not np.allclose(*(training.predict(model, turned, views=views) for views in (1, 8)), atol=1e-6)


def test_begin_fixes_every_generator():
    def draws():
        training.begin(seed=5, threads=1)
        return np.random.random(), keras.random.uniform((2,)).numpy().tolist()  # noqa: NPY002

    assert draws() == draws()


def test_another_number_of_threads_needs_a_new_kernel():
    keras.ops.ones(1)
    with pytest.raises(LesionbookError, match="restart the kernel"):
        training.begin(seed=5, threads=3)
    assert training.settings()[2] == 1


def test_begin_sets_the_number_format():
    try:
        assert training.begin(seed=5, threads=1, precision="mixed_bfloat16") == "mixed_bfloat16"
        assert training.settings()[1] == "mixed_bfloat16"
        assert training.begin(seed=5, threads=1, precision="auto") in ("float32", "mixed_bfloat16")
    finally:
        assert training.begin(seed=5, threads=1) == "float32"
    assert small_network().layers[1].compute_dtype == "float32"
