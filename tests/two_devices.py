"""Train in a process that takes its processor for two devices, and say in JSON what came of it; see test_devices.py."""

import json
import os
import sys
import tempfile
from pathlib import Path

BACKEND = sys.argv[1]
os.environ |= {"KERAS_BACKEND": BACKEND, "XLA_FLAGS": "--xla_force_host_platform_device_count=2"}

import keras  # noqa: E402
import numpy as np  # noqa: E402
from small_store import CLASSES, SIZE, small_network, small_store  # noqa: E402
from small_training import RECIPE  # noqa: E402

from lesionbook import batches, devices, features, fitting, training  # noqa: E402
from lesionbook.architectures.layers import BatchNormalization  # noqa: E402
from lesionbook.errors import LesionbookError  # noqa: E402
from lesionbook.images import Store  # noqa: E402
from lesionbook.recipes import Plateau  # noqa: E402

if BACKEND == "tensorflow":
    import tensorflow as tf

    processor = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(processor, [tf.config.LogicalDeviceConfiguration()] * 2)

SIX = RECIPE.model_copy(update={"batch_size": 6, "schedule": "plateau", "plateau": Plateau(patience=1, min_delta=5.0)})
STILL = RECIPE.model_copy(update={"batch_size": 22, "epochs": 1, "learning_rate": 1e-12})


class Killed(Exception):
    pass


def fit(store, model, recipe=SIX, **options):
    history = fitting.fit(model, store.rows("train"), store.rows("val"), recipe, seed=7, **options)
    return history.to_dict("list"), flat(model.get_weights())


def flat(weights):
    return np.concatenate([np.ravel(weight) for weight in weights]).tolist()


def begin(number):
    training.begin(seed=7, threads=1, devices=number)


def spread(variable):
    """Devices that a variable stands on."""
    if BACKEND == "tensorflow":
        return len(variable.value.values) if isinstance(variable.value, tf.distribute.DistributedValues) else 1
    return len(variable.value.sharding.device_set)


def joined(second_input):
    """A network whose base has batch normalization; with a second input, it is told two numbers more."""
    image, told = keras.Input((SIZE, SIZE, 3)), keras.Input((2,))
    x = BatchNormalization(momentum=0.5, name="normalization")(keras.layers.Rescaling(1 / 255)(image))
    x = keras.layers.Flatten(name="features")(x)
    x = keras.layers.Concatenate()([x, told]) if second_input else x
    return keras.Model([image, told][: 1 + second_input], keras.layers.Dense(len(CLASSES), activation="softmax")(x))


def moving(model):
    """Moving mean and variance after one step on all training images."""
    fit(small_store(), model, STILL)
    layer = model.get_layer("normalization")
    return flat(map(keras.ops.convert_to_numpy, (layer.moving_mean, layer.moving_variance)))


def expected(part):
    """The same computed from some of the images; TensorFlow's fused kernel divides a variance by one image less."""
    images = batches.Batches(small_store().rows("train"), STILL, seed=7)[0][0][part] / 255
    pixels = images[..., 0].size
    variance = images.var(axis=(0, 1, 2)) * (pixels / (pixels - 1) if BACKEND == "tensorflow" else 1)
    return flat([images.mean(axis=(0, 1, 2)) / 2, (1 + variance) / 2])


def frozen():
    """A frozen base, its features and the training of its head."""
    model = joined(second_input=False)
    model.get_layer("normalization").trainable = False
    base, head = features.parts(model)
    rows = [features.compute(base, small_store().rows(split)) for split in ("train", "val")]
    rows[0] = type(rows[0])(rows[0].index, rows[0].classes, rows[0].array[:, None], rows[0].positions)
    fitting.fit(head, *rows, SIX, seed=7, batches=features.Batches)
    return training.predict(model, small_store().rows("test"), batch_size=3)


def killed_and_resumed(store, folder):
    def kill(epoch, batch, _):
        if (epoch, batch) == (2, 2):
            raise Killed

    try:
        fit(store, small_network(0.3), checkpoint=folder, on_batch=kill)
    except Killed:
        return fit(store, small_network(0.3), checkpoint=folder)


def refused(function):
    try:
        function()
    except LesionbookError as error:
        return str(error)


def shared(folder, number, said):
    """What should be the same on any number of devices."""
    begin(number)
    model, store = small_network(), small_store()
    said["spread"] = spread(model.weights[0])
    said["history"], said["weights"] = fit(store, model)
    said["moving"] = moving(joined(second_input=False))
    said["frozen"] = frozen().tolist()
    if number == 1:
        model.save(folder / "model.keras")
    said["predictions"] = training.predict(
        keras.models.load_model(folder / "model.keras"), store.rows("val", "test"), batch_size=5
    ).tolist()
    said["count"], said["settings"] = devices.count(), training.settings()


def main():
    one, two = {}, {}
    with tempfile.TemporaryDirectory() as folder:
        shared(Path(folder), 1, one)
        shared(Path(folder), 2, two)
        odd = small_store((("train", 21), ("val", 9), ("test", 7)))
        two["refused"] = [
            refused(lambda: batches.Batches(odd.rows("train"), RECIPE, seed=7)),
            refused(lambda: begin(3)),
        ]
        begin(2)
        shown = batches.Batches(odd.rows("train"), SIX, seed=7)
        two["order"] = [*map(int, shown.order), *(len(shown[batch][2]) for batch in range(len(shown)))]
        two["whole"] = fit(odd, small_network(0.3))
        begin(2)
        two["resumed"] = killed_and_resumed(odd, Path(folder) / "kept")
        told = Store(odd.index, odd.array, CLASSES, np.zeros((len(odd.index), 2), dtype="float32"))
        two["told"], _ = fit(told, joined(second_input=True))
    begin(1)
    one["expected"] = {"whole": expected(slice(None)), "half": expected(slice(11))}
    one["again"] = fit(small_store(), small_network())[1]
    print(json.dumps({"one": one, "two": two}))


if __name__ == "__main__":
    main()
