"""What a network looked at: Grad-CAM."""

import keras
import numpy as np


def grad_cam(model: keras.Model, images: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Map of the image regions that speak for a class.

    Parameters
    ----------
    model : keras.Model
        Flat, with the layers ``last_convolution`` and ``logits``.
    images : ndarray of uint8, shape (N, S, S, 3)
    classes : ndarray of int, shape (N,)
        Class position for which each image is explained.

    Returns
    -------
    ndarray of float32, shape (N, h, w)
        At the resolution of the last feature maps, each map scaled to 0…1 (all 0 where nothing speaks for the class).

    Notes
    -----
    Selvaraju et al., "Grad-CAM: visual explanations from deep networks via gradient-based localization" (2017): the
    feature maps are added up with the mean gradient of the class's score before the softmax as weights, and negative
    sums are cut off.
    """
    features = model.get_layer("last_convolution").output
    body = keras.Model(model.inputs[0], features)
    head = keras.Model(features, model.get_layer("logits").output)
    maps = keras.ops.cast(body(images, training=False), "float32")
    chosen = np.eye(model.output.shape[-1], dtype="float32")[classes]
    gradients = _gradients(head, maps, chosen)
    weights = gradients.mean(axis=(1, 2), keepdims=True)
    heat = np.maximum((weights * keras.ops.convert_to_numpy(maps)).sum(axis=-1), 0)
    return heat / np.maximum(heat.max(axis=(1, 2), keepdims=True), 1e-12)


def _gradients(head: keras.Model, maps: object, chosen: np.ndarray) -> np.ndarray:
    """Gradient of the chosen scores by the feature maps, on either backend."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape() as tape:
            tape.watch(maps)
            score = tf.reduce_sum(head(maps, training=False) * chosen)
        return tape.gradient(score, maps).numpy()
    import jax

    return np.asarray(jax.grad(lambda values: (head(values, training=False) * chosen).sum())(maps))
