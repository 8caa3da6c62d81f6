"""Files of weights for tests, as keras.applications publishes them."""

from pathlib import Path

import h5py
import keras
from keras.src.legacy.saving import legacy_h5_format


def write_weights(model: keras.Model, path: Path) -> None:
    """Names of the layers at the top, weights in groups below."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, model)
