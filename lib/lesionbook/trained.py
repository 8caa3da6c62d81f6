"""Trained networks, each kept under the fingerprint of everything that decided it, so that none is trained twice.

A report may be made again because a figure changed; its network is trained again only if the code that trains it, its
recipe, its images, the seed, the number of threads, the number format or the versions of the libraries changed.
"""

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import pandas as pd

from lesionbook import dependencies, paths, training
from lesionbook.images import Store
from lesionbook.recipes import Recipe

PACKAGES = ("tensorflow-cpu", "tensorflow", "jax", "keras", "numpy", "opencv-python-headless", "scikit-learn")


@dataclass(frozen=True)
class Trained:
    """A trained network with how it got there.

    Attributes
    ----------
    model : keras.Model
        With the weights of the best validation epoch.
    history : DataFrame
        As returned by `lesionbook.training.fit`.
    fingerprint : str
        16 hexadecimal digits.
    """

    model: keras.Model
    history: pd.DataFrame
    fingerprint: str


def obtain(
    build: Callable[..., keras.Model],
    options: dict[str, Any],
    store: Store,
    recipe: Recipe,
    *,
    seed: int,
    images_digest: str,
    log: Path,
) -> Trained:
    """Train a network, or read it where exactly this training has been done before.

    Parameters
    ----------
    build, options
        Builder of the network (a function of an architecture module) and its keyword arguments.
    store : Store
        Images; only rows of ``train`` and ``val`` are touched.
    recipe : Recipe
        How to train.
    seed : int
        Seed of the initial weights, the batches and the variants.
    images_digest : str
        SHA-256 of the stored images.
    log : Path
        Text file that gets one line per epoch as it ends, to be watched from a terminal.

    Returns
    -------
    Trained
    """
    key = dependencies.fingerprint(
        modules=("lesionbook.training", build.__module__),
        packages=PACKAGES,
        values={
            "options": options,
            "recipe": recipe.model_dump(mode="json"),
            "images": images_digest,
            "split": store.index[["image_id", "label", "split"]].to_csv(index=False),
            "settings": [seed, *training.settings()],
        },
    )
    folder = paths.cache() / key
    if not folder.exists():
        lines: list[str] = []

        def note(row: pd.Series) -> None:
            lines.append(" ".join(f"{name}={value:.4g}" for name, value in row.items()))
            log.write_text("\n".join(lines) + "\n", encoding="utf-8")

        keras.utils.set_random_seed(seed)  # whatever was built before must not shift the initial weights
        model = build(**options)
        history = training.fit(model, store.rows("train"), store.rows("val"), recipe, seed=seed, on_epoch=note)
        _keep(folder, model, history)
    return Trained(keras.models.load_model(folder / "model.keras"), pd.read_csv(folder / "history.csv"), key)


def _keep(folder: Path, model: keras.Model, history: pd.DataFrame) -> None:
    """Write model and history so that the folder is whole or absent."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=folder.parent))
    temporary.chmod(0o755)  # others on the machine may read it
    try:
        model.save(temporary / "model.keras")
        history.to_csv(temporary / "history.csv", index=False, float_format="%.6g", lineterminator="\n")
        try:
            temporary.replace(folder)
        except OSError:
            if not folder.exists():  # else another notebook has just trained the same network: as good as this one
                raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
