import keras
import numpy as np
import pytest
from scipy.special import expit

from lesionbook import operations

pytestmark = pytest.mark.usefixtures("one_thread")


def values(name, positions, **options):
    curves = operations.activation_functions(positions, **options)
    return curves.loc[curves["function"] == name].set_index("x")


def test_activation_functions_at_known_places():
    at = [-2, -1, 0, 1, 2]
    known = {
        "ReLU": np.maximum(at, 0),
        "leaky ReLU": [-0.2, -0.1, 0, 1, 2],
        "sigmoid": expit(at),
        "sigmoid of sigmoid": expit(expit(at)),
        "sigmoid five times": expit(expit(expit(expit(expit(at))))),
        "tanh": np.tanh(at),
        "tanh of tanh": np.tanh(np.tanh(at)),
        "tanh five times": np.tanh(np.tanh(np.tanh(np.tanh(np.tanh(at))))),
        "softmax of (x, 0): first": expit(at),
        "softmax of (x, 0): second": 1 - expit(at),
    }
    curves = operations.activation_functions(at, alpha=0.1)
    assert list(curves["function"].unique()) == list(known)
    for name, expected in known.items():
        assert values(name, at, alpha=0.1)["value"].to_numpy() == pytest.approx(expected, abs=1e-6), name


@pytest.mark.parametrize(
    ("name", "slope"),
    [
        ("ReLU", lambda x: np.where(x > 0, 1, 0)),
        ("leaky ReLU", lambda x: np.where(x > 0, 1, 0.2)),
        ("sigmoid", lambda x: expit(x) * expit(-x)),
        ("tanh of tanh", lambda x: (1 - np.tanh(np.tanh(x)) ** 2) * (1 - np.tanh(x) ** 2)),
        ("softmax of (x, 0): second", lambda x: -expit(x) * expit(-x)),
    ],
)
def test_slopes_are_the_derivatives(name, slope):
    x = np.linspace(-3, 3, 13)[[0, 3, 5, 7, 12]]
    assert values(name, x, alpha=0.2)["slope"].to_numpy() == pytest.approx(slope(x), abs=1e-6)


def test_activation_table_tells_how_repeated_application_flattens():
    table = operations.activation_table(alpha=0.3)
    assert list(table.columns) == ["at −2", "at −1", "at 0", "at 1", "at 2", "largest slope", "slope at 2"]
    assert table.loc["leaky ReLU"].tolist() == pytest.approx([-0.6, -0.3, 0, 1, 2, 1, 1])
    assert table.loc["sigmoid", "largest slope"] == pytest.approx(1 / 4, abs=1e-6)
    inner = expit(np.linspace(-1, 1, 2001))
    steepest = (expit(inner) * expit(-inner) * inner * (1 - inner)).max()  # the chain rule
    assert table.loc["sigmoid of sigmoid", "largest slope"] == pytest.approx(steepest, abs=1e-6)
    assert table.loc["sigmoid five times", "largest slope"] < 0.001
    assert table.loc["tanh five times", "largest slope"] == pytest.approx(1, abs=1e-6)
    assert table.loc["tanh five times", "slope at 2"] < 0.01
    assert table.loc["softmax of (x, 0): second", ["largest slope", "slope at 2"]].tolist() == pytest.approx(
        [0.25, -0.104994], abs=1e-6
    )


def test_grey_patch_is_the_square_of_most_contrast():
    image = np.full((20, 24, 3), 100, dtype=np.uint8)
    image[11:14, 8:14] = 255  # half of one square of 6 rows and columns, and of no other
    image[0, 0] = 0
    patch, corner = operations.grey_patch(image)
    assert patch.shape == (6, 6)
    assert patch.dtype == np.uint8
    assert corner[1] == 8
    assert corner[0] in (8, 11)
    assert np.sort(patch, axis=None).tolist() == [100] * 18 + [255] * 18
    assert operations.grey_patch(np.full((8, 8, 3), (255, 0, 0), dtype=np.uint8), 3)[0].tolist() == [[76] * 3] * 3


def test_convolution_by_hand():
    patch = np.array([[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12]])
    kernel = np.array([[1, 0], [0, -2]])
    assert operations.convolution_example(patch, kernel).tolist() == [[-11, -12, -13], [-15, -16, -17]]


def test_convolution_and_pooling_are_those_of_the_layers():
    patch = np.random.default_rng(3).integers(0, 256, size=(7, 9), dtype=np.uint8)
    kernel = np.random.default_rng(4).normal(size=(3, 3))
    given = patch.astype("float32")[None, :, :, None]
    layer = keras.ops.conv(given, kernel.astype("float32")[:, :, None, None], padding="valid")
    assert operations.convolution_example(patch, kernel) == pytest.approx(np.asarray(layer)[0, :, :, 0], abs=1e-3)
    for size in (2, 3):
        pooled = np.asarray(keras.layers.MaxPooling2D(size)(given))[0, :, :, 0]
        assert (operations.pooling_example(patch, size) == pooled).all()


def test_filtered_shows_what_the_kernels_are_known_for():
    image = np.full((9, 9, 3), 40, dtype=np.uint8)
    image[:, 5:] = 100
    results = operations.filtered(image)
    assert list(results) == list(operations.KERNELS)
    assert all(result.shape == (9, 9) for result in results.values())
    assert results["vertical edges (Sobel)"][4].tolist() == [0, 0, 0, 0, 240, 240, 0, 0, 0]
    assert (results["horizontal edges (Sobel)"] == 0).all()
    assert results["blur"][4] == pytest.approx([40, 40, 40, 40, 60, 80, 100, 100, 100])
    assert results["sharpen"][4].tolist() == [40, 40, 40, 40, -20, 160, 100, 100, 100]
    assert results["edges (Laplace)"][4].tolist() == [0, 0, 0, 0, -180, 180, 0, 0, 0]
