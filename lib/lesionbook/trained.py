"""Trained networks, each kept under the fingerprint of everything that decided it, so that none is trained twice.

A report may be made again because a figure changed; its network is trained again only if the code that trains it, its
recipe, its images, the seed, the number of threads, the number format or the versions of the libraries changed.
"""

import hashlib
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import keras
import pandas as pd

from lesionbook import dependencies, features, fitting, initial_weights, paths, training
from lesionbook.architectures import freezing
from lesionbook.images import Store
from lesionbook.recipes import FineTuning, Recipe

PACKAGES = ("tensorflow-cpu", "tensorflow", "jax", "keras", "numpy", "opencv-python-headless", "scikit-learn")


@dataclass(frozen=True)
class Trained:
    """A trained network with how it got there.

    Attributes
    ----------
    model : keras.Model
        With the weights of the best validation epoch.
    history : DataFrame
        As returned by `lesionbook.fitting.fit`, with ``phase`` (1, 2).
    fingerprint : str
        16 hexadecimal digits.
    origin : str
        What the base started from, for reading: ``random numbers``.
    """

    model: keras.Model
    history: pd.DataFrame
    fingerprint: str
    origin: str = ""


def obtain(
    build: Callable[..., keras.Model],
    options: dict[str, Any],
    store: Store,
    recipe: Recipe,
    *,
    seed: int,
    images_digest: str,
    output: Path,
    weights: str = "none",
    study: str = "",
    profile: str = "",
    fine_tuning: FineTuning | None = None,
) -> Trained:
    """Train a network, or read it where exactly this training has been done before.

    A training that was interrupted goes on behind its last whole epoch.

    Parameters
    ----------
    build, options
        Builder of the network (a function of an architecture module) and its keyword arguments.
    store : Store
        Images; only rows of ``train`` and ``val`` are touched.
    recipe : Recipe
        How to train; with ``feature_variants``, the head alone on stored features of the frozen base.
    seed : int
        Seed of the initial weights, the batches and the variants.
    images_digest : str
        SHA-256 of the stored images.
    output : Path
        Folder for ``training.log`` (a line per epoch as it ends) and ``progress.log`` (how far the epoch is).
    weights : str
        Initial weights of the base: ``none``, ``imagenet``, a file, or an experiment; see `lesionbook.initial_weights`.
    study, profile : str
        Of the run; an experiment named by `weights` is looked for there.
    fine_tuning : FineTuning, optional
        A second phase, from the best epoch of the first, which is kept by itself.

    Returns
    -------
    Trained
    """
    keras.utils.set_random_seed(seed)  # whatever was built before must not shift the initial weights
    model = build(**options)
    origin = initial_weights.load(model, weights, architecture=build.__name__, study=study, profile=profile)
    log = _Log(output)
    values = decisive(options, store, recipe, seed=seed, images_digest=images_digest, weights=origin.sha256)
    first = _once(model, store, recipe, seed, key(build, values), log)
    if fine_tuning is None:
        return replace(first, origin=origin.description)
    freezing.unfreeze(first.model, last=fine_tuning.last, from_layer=fine_tuning.from_layer)
    second = key(build, {"first phase": first.fingerprint, "second phase": fine_tuning.model_dump(mode="json")})
    done = _once(first.model, store, fine_tuning, seed, second, log, before=first.history)
    return replace(done, origin=origin.description)


def decisive(
    options: dict[str, Any], store: Store, recipe: Recipe, *, seed: int, images_digest: str, weights: str
) -> dict[str, Any]:
    """All besides code and versions that decides a training, for `key`; `weights` is the hash of their origin."""
    values = {
        "options": options,
        "recipe": recipe.model_dump(mode="json"),
        "weights": weights,
        "images": images_digest,
        "split": store.index[["image_id", "label", "split"]].to_csv(index=False),
        "settings": [seed, *training.settings()],
    }
    if store.metadata is not None:
        values["metadata"] = hashlib.sha256(store.metadata.tobytes()).hexdigest()
    return values


def key(build: Callable[..., keras.Model], values: dict[str, Any], *modules: str) -> str:
    """Fingerprint of a training: its values, the code of its network and of whatever modules of the library it used."""
    used = (
        "lesionbook.fitting",
        "lesionbook.features",
        "lesionbook.architectures.freezing",
        build.__module__,
        *modules,
    )
    return dependencies.fingerprint(modules=used, packages=PACKAGES, values=values)


def _once(
    model: keras.Model,
    store: Store,
    recipe: Recipe,
    seed: int,
    key: str,
    log: "_Log",
    before: pd.DataFrame | None = None,
) -> Trained:
    """Train a phase and keep it, or read it."""
    folder = paths.cache() / key
    if not folder.exists():
        # Two notebooks may be at the same training at the same time: each has a place of its own to be interrupted in.
        unfinished = folder.with_name(f"{key}.{log.output.name}.part")
        past = pd.DataFrame() if before is None else before
        log.lines = [log.line(row) for _, row in past.iterrows()]
        history = phase(model, store, recipe, seed, unfinished, len(past), log)
        number = 1 if before is None else int(before["phase"].max()) + 1
        _keep(folder, model, pd.concat([before, history.assign(phase=number)]))
        shutil.rmtree(unfinished, ignore_errors=True)
    return Trained(keras.models.load_model(folder / "model.keras"), pd.read_csv(folder / "history.csv"), key)


class Listener(Protocol):
    """Who is told how a training goes on."""

    def epoch(self, row: pd.Series) -> None:
        """Take the history's row of an epoch."""

    def batch(self, epoch: int, batch: int, batches: int) -> None:
        """Take the number of the epoch, of the batch, and of the batches of an epoch."""


def phase(
    model: keras.Model,
    store: Store,
    recipe: Recipe,
    seed: int,
    checkpoint: Path,
    first_epoch: int,
    listener: Listener,
) -> pd.DataFrame:
    """Train on images, or the head on features that the frozen base gives once; gives the history of `fitting.fit`."""
    options = {"seed": seed, "checkpoint": checkpoint, "first_epoch": first_epoch}
    options |= {"on_epoch": listener.epoch, "on_batch": listener.batch}
    train, validation = store.rows("train"), store.rows("val")
    if not recipe.feature_variants:
        return fitting.fit(model, train, validation, recipe, **options)
    base, head = features.parts(model)
    stored = features.compute(base, train, recipe, seed=seed), features.compute(base, validation)
    return fitting.fit(head, *stored, recipe, batches=features.Batches, **options)


class _Log:
    """The lines of ``training.log`` and the one of ``progress.log``, which is renewed every other second."""

    def __init__(self, output: Path) -> None:
        self.output, self.said = output, 0.0
        self.lines: list[str] = []

    def epoch(self, row: pd.Series) -> None:
        self.lines.append(self.line(row))
        (self.output / "training.log").write_text("\n".join(self.lines) + "\n", encoding="utf-8")

    def batch(self, epoch: int, batch: int, batches: int) -> None:
        if time.monotonic() - self.said > 2:
            self.said = time.monotonic()
            (self.output / "progress.log").write_text(f"epoch {epoch}, batch {batch} of {batches}\n", encoding="utf-8")

    @staticmethod
    def line(row: pd.Series) -> str:
        return " ".join(f"{name}={value:.4g}" for name, value in row.items())


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
