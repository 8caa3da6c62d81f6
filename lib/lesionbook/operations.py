"""The operations a network is made of, on numbers small enough to follow: activations, convolution, pooling."""

from collections.abc import Callable, Iterable
from functools import partial

import cv2
import keras
import numpy as np
import pandas as pd
from scipy.signal import correlate2d

KERNELS = {
    "blur": np.full((3, 3), 1 / 9),
    "sharpen": np.array([[0, -1, 0], [-1, 5, -1], [0, -1, 0]]),
    "edges (Laplace)": np.array([[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]]),
    "vertical edges (Sobel)": np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]),
    "horizontal edges (Sobel)": np.array([[-1, -2, -1], [0, 0, 0], [1, 2, 1]]),
}


def _repeated(function: Callable, times: int) -> Callable:
    def apply(x: object, alpha: float) -> object:
        for _ in range(times):
            x = function(x)
        return x

    return apply


_ACTIVATIONS = {
    "ReLU": _repeated(keras.activations.relu, 1),
    "leaky ReLU": lambda x, alpha: keras.activations.leaky_relu(x, negative_slope=alpha),
    "sigmoid": _repeated(keras.activations.sigmoid, 1),
    "sigmoid of sigmoid": _repeated(keras.activations.sigmoid, 2),
    "sigmoid five times": _repeated(keras.activations.sigmoid, 5),
    "tanh": _repeated(keras.activations.tanh, 1),
    "tanh of tanh": _repeated(keras.activations.tanh, 2),
    "tanh five times": _repeated(keras.activations.tanh, 5),
    "softmax of (x, 0): first": lambda x, alpha: _softmax(x)[:, 0],
    "softmax of (x, 0): second": lambda x, alpha: _softmax(x)[:, 1],
}


def _softmax(x: object) -> object:
    return keras.activations.softmax(keras.ops.stack([x, keras.ops.zeros_like(x)], axis=-1))


def activation_functions(positions: Iterable[float], *, alpha: float = 0.3) -> pd.DataFrame:
    """Compute activation functions and their slopes, as `keras.activations` has them.

    Parameters
    ----------
    positions : iterable of float
        The inputs x.
    alpha : float
        Slope of the leaky ReLU (Maas, Hannun, Ng, 2013) below zero.

    Returns
    -------
    DataFrame
        ``function, x, value, slope``: ReLU and leaky ReLU, sigmoid and tanh applied once, twice and five times, and
        the two answers of the softmax of (x, 0). A slope is the derivative by x; at a kink, the one Keras trains with.
    """
    x = np.asarray(list(positions), dtype="float32")
    parts = []
    for name, function in _ACTIVATIONS.items():
        applied = partial(function, alpha=alpha)
        value = keras.ops.convert_to_numpy(applied(keras.ops.convert_to_tensor(x)))
        parts.append(pd.DataFrame({"function": name, "x": x, "value": value, "slope": gradient(applied, x)}))
    return pd.concat(parts, ignore_index=True)


def activation_table(*, alpha: float = 0.3) -> pd.DataFrame:
    """Tabulate the activation functions.

    Returns
    -------
    DataFrame of float
        One row per function (index ``function``): its values ``at −2`` to ``at 2``, the ``largest slope`` anywhere,
        by whose product the gradient shrinks from layer to layer, and the ``slope at 2``.
    """
    places = {f"at {x}".replace("-", "−"): x for x in range(-2, 3)}
    points = activation_functions(places.values(), alpha=alpha).set_index(["x", "function"])
    table = pd.DataFrame({name: points.loc[x, "value"] for name, x in places.items()})
    everywhere = activation_functions(np.linspace(-8, 8, 16001), alpha=alpha)
    table["largest slope"] = everywhere.assign(slope=everywhere["slope"].abs()).groupby("function")["slope"].max()
    return table.assign(**{"slope at 2": points.loc[2, "slope"]}).astype(float)


def grey_patch(image: np.ndarray, size: int = 6) -> tuple[np.ndarray, tuple[int, int]]:
    """Cut the square with the most contrast out of an image.

    Parameters
    ----------
    image : ndarray of uint8, shape (H, W, 3)
    size : int
        Side of the square in pixels.

    Returns
    -------
    ndarray of uint8, shape (size, size)
        Grey values 0..255 (luma of ITU-R BT.601).
    tuple of int
        Row and column of its top left pixel.
    """
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    squares = np.lib.stride_tricks.sliding_window_view(grey, (size, size))
    row, column = np.unravel_index(squares.std(axis=(2, 3)).argmax(), squares.shape[:2])
    return squares[row, column].copy(), (int(row), int(column))


def convolution_example(patch: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Convolve a patch as a convolution layer does: the kernel is not mirrored, and never reaches over the border.

    Parameters
    ----------
    patch : ndarray, shape (H, W)
    kernel : ndarray, shape (h, w)

    Returns
    -------
    ndarray of float, shape (H - h + 1, W - w + 1)
        Sums of the products of kernel and window.
    """
    return correlate2d(patch.astype(float), kernel.astype(float), mode="valid")


def pooling_example(patch: np.ndarray, size: int = 2) -> np.ndarray:
    """Keep the largest number of each window of `size` by `size`; a rest at the right or bottom is dropped.

    Parameters
    ----------
    patch : ndarray, shape (H, W)
    size : int
        Side of the windows and step from one to the next.

    Returns
    -------
    ndarray, shape (H // size, W // size)
        Of the type of `patch`.
    """
    rows, columns = patch.shape[0] // size, patch.shape[1] // size
    return patch[: rows * size, : columns * size].reshape(rows, size, columns, size).max(axis=(1, 3))


def filtered(image: np.ndarray, kernels: dict[str, np.ndarray] = KERNELS) -> dict[str, np.ndarray]:
    """Convolve the grey values of an image with each kernel; border pixels are repeated outwards.

    Parameters
    ----------
    image : ndarray of uint8, shape (H, W, 3)
    kernels : dict of ndarray

    Returns
    -------
    dict of ndarray of float, shape (H, W)
        By the names of the kernels. Kernels that sum up to 1 keep the level of 0..255, those that sum up to 0 lose it.
    """
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(float)
    return {
        name: cv2.filter2D(grey, -1, kernel.astype(float), borderType=cv2.BORDER_REPLICATE)
        for name, kernel in kernels.items()
    }


def gradient(function: Callable, values: np.ndarray) -> np.ndarray:
    """Gradient of the sum of a function's values by its input, on either backend."""
    values = keras.ops.convert_to_tensor(values)
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape() as tape:
            tape.watch(values)
            total = tf.reduce_sum(function(values))
        return tape.gradient(total, values).numpy()
    import jax

    return np.asarray(jax.grad(lambda given: function(given).sum())(values))
