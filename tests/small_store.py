"""A store of small images whose classes differ in colour, and networks small enough to train within a test."""

import keras
import numpy as np
import pandas as pd

from lesionbook.images import Store

CLASSES = ["blue", "green", "red"]
SIZE = 8


def small_store(counts=(("train", 22), ("val", 9), ("test", 7)), seed=3):
    """Unequal classes, splits mixed in the order of the index, every image different."""
    rng = np.random.default_rng(seed)
    splits = rng.permutation(np.repeat(*zip(*counts, strict=True)))
    n = len(splits)
    labels = np.array(CLASSES)[rng.choice(3, size=n, p=[0.2, 0.3, 0.5])]
    for split, _ in counts:  # every class in every split
        labels[np.flatnonzero(splits == split)[:3]] = CLASSES
    array = rng.integers(40, 160, size=(n, SIZE, SIZE, 3), dtype=np.uint8)
    array[np.arange(n), :, :, [["red", "green", "blue"].index(label) for label in labels]] += 60
    index = pd.DataFrame(
        {"image_id": [f"i{k:03d}" for k in range(n)], "group": [f"g{k:03d}" for k in range(n)], "label": labels}
    )
    return Store(index.assign(split=splits), array, CLASSES)


def small_network(dropout=0.0):
    """One convolution and a softmax; with `dropout` it also draws random numbers while training."""
    return keras.Sequential(
        [
            keras.Input((SIZE, SIZE, 3)),
            keras.layers.Rescaling(1 / 127.5, offset=-1),
            keras.layers.Conv2D(4, 3, activation="relu"),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dropout(dropout),
            keras.layers.Dense(len(CLASSES)),
            keras.layers.Activation("softmax"),
        ]
    )
