"""More than one GPU, by Keras's own means: every device computes an equal share of each batch.

The weights of the network stand on every device. Each computes the gradient of its own images; the mean of these
gradients is the one that a single device would have found for the whole batch, up to the rounding of float32, since the
numbers are added in another order. The same number of devices gives the same bits again.

On JAX the batch is one, whatever the number of devices. On TensorFlow two things are done by each device for itself:

- Batch normalization takes mean and variance of the device's own images, as if the batch size were divided by the
  number of devices; the moving averages that a trained network predicts with are those of the first device. (Keras can
  exchange the statistics at every layer, by ``synchronized=True``; no network here does.)
- Dropout draws the same numbers on every device: what it drops of the first image of one share, it drops of the first
  image of the others.

Prediction is not shared: it goes no faster by several devices.
"""

import keras

from lesionbook.errors import LesionbookError


def use(number: int) -> None:
    """Share the training of every network built from now on among so many devices.

    On TensorFlow by ``tf.distribute.MirroredStrategy``, on JAX by ``keras.distribution.DataParallel``, made the default
    of the process, so that nothing else has to know. The devices are the first GPUs, or processors where there is no
    GPU. A network that was built for another number of devices cannot be used any more.

    Parameters
    ----------
    number : int
        1 or more.

    Raises
    ------
    LesionbookError
        If there are fewer devices.
    """
    if number == count():
        return
    found = keras.distribution.list_devices()
    if number > len(found):
        raise LesionbookError(
            f"devices: {number} are asked for, but there {'is' if len(found) == 1 else 'are'} only {len(found)} here "
            f"({', '.join(found)}); lower devices in the study file."
        )
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        # Keras's own distribution is not made for TensorFlow yet.
        names = [name.upper() for name in found[:number]]
        tf.distribute.experimental_set_strategy(tf.distribute.MirroredStrategy(names) if number > 1 else None)
    else:
        shared = keras.distribution.DataParallel(devices=found[:number])
        keras.distribution.set_distribution(shared if number > 1 else None)


def count() -> int:
    """Number of devices that share a batch."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return tf.distribute.get_strategy().num_replicas_in_sync
    distribution = keras.distribution.distribution()
    return distribution.num_model_replicas if distribution else 1
