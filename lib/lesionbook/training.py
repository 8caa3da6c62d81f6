"""Seed, threads and number format of a process that computes with Keras, and the answers of a network to images."""

import platform
from pathlib import Path
from typing import Literal

import cv2
import keras
import numpy as np
from threadpoolctl import threadpool_limits

from lesionbook import devices as shared
from lesionbook.errors import LesionbookError
from lesionbook.images import Rows


def begin(*, seed: int, threads: int, precision: str = "float32", devices: int = 1) -> str:
    """Fix seed, thread count and number format for this process; call it before any model is built.

    The same seed gives bit-identical training for the same thread count on the same kind of processor; another thread
    count adds numbers in another order.

    Parameters
    ----------
    seed, threads : int
    precision : {"auto", "float32", "mixed_bfloat16"}
        ``mixed_bfloat16`` computes in 16 bits and keeps weights in 32; ``auto`` takes it where the hardware has units
        for it (a GPU, or a processor with AMX), since elsewhere it is slower than ``float32``.
    devices : int
        GPUs that share each batch; results differ from those of one in rounding, and on TensorFlow in batch
        normalization, see `lesionbook.devices`.

    Returns
    -------
    str
        The number format taken.

    Raises
    ------
    LesionbookError
        If TensorFlow has already started with another number of threads (a notebook kernel must be restarted then),
        or there are fewer devices.
    """
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tf.get_logger().setLevel("ERROR")
        if tf.config.threading.get_intra_op_parallelism_threads() != threads:
            try:
                tf.config.threading.set_intra_op_parallelism_threads(threads)
                tf.config.threading.set_inter_op_parallelism_threads(threads)
            except RuntimeError as error:
                raise LesionbookError(
                    "training.begin: the number of threads can be set only once; restart the kernel to change it."
                ) from error
        tf.config.experimental.enable_op_determinism()
    threadpool_limits(limits=threads)
    cv2.setNumThreads(1)
    shared.use(devices)
    keras.utils.set_random_seed(seed)
    if precision == "auto":
        precision = "mixed_bfloat16" if _computes_bfloat16() else "float32"
    keras.mixed_precision.set_global_policy(precision)
    return precision


def begun() -> dict[str, int | str]:
    """Arguments for `begin` with which another process computes as this one does, but for the seed."""
    threads = 0
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        threads = tf.config.threading.get_intra_op_parallelism_threads()
    return {"threads": threads, "precision": keras.mixed_precision.dtype_policy().name, "devices": shared.count()}


def settings() -> list[str | int]:
    """What besides recipe and seed decides the bits of a training: backend, number format, threads, processor, GPUs."""
    now = begun()
    several = [f"{now['devices']} devices"] if now["devices"] > 1 else []
    return [keras.backend.backend(), now["precision"], now["threads"], platform.machine(), *several]


def _computes_bfloat16() -> bool:
    processor = Path("/proc/cpuinfo")
    if processor.exists() and "amx_bf16" in processor.read_text(encoding="utf-8"):
        return True
    return any(device.split(":")[0] in ("gpu", "tpu") for device in keras.distribution.list_devices())


def predict(model: keras.Model, rows: Rows, *, views: Literal[1, 4, 8] = 1, batch_size: int = 64) -> np.ndarray:
    """Probabilities for rows of the store, in their order.

    Parameters
    ----------
    model : keras.Model
        As trained by `fit`.
    rows : Rows
        Any rows of the store.
    views : {1, 4, 8}
        Average over the image, its 4 quarter turns, or these and their mirror images (a lesion has no upright).
    batch_size : int
        Images per step; memory does not grow with the number of rows.

    Returns
    -------
    ndarray of float64, shape (N, classes)
        Rows sum to 1.
    """
    parts = []
    for start in range(0, len(rows), batch_size):
        chosen = np.arange(start, min(start + batch_size, len(rows)))
        images = rows.images(chosen)
        turned = [images] if views == 1 else [np.rot90(images, turn, axes=(1, 2)) for turn in range(4)]
        if views == 8:
            turned += [view[:, :, ::-1] for view in turned]
        shown = [rows.inputs(np.ascontiguousarray(view), chosen) for view in turned]
        # Where TensorFlow shares training among devices, each of them answers, one behind the other: the first counts.
        outputs = [keras.ops.convert_to_numpy(model.predict_on_batch(view)[: len(chosen)]) for view in shown]
        parts.append(np.mean(outputs, axis=0, dtype=float))
    probabilities = np.concatenate(parts)
    return probabilities / probabilities.sum(axis=1, keepdims=True)
