"""One setting trained with one seed: its history and its answers to the validation images are kept, the network is not.

A run is kept under the fingerprint of everything that decides it, as `lesionbook.trained` keeps networks; one that was
killed goes on behind its last whole epoch. A run that fails is a result as well: sweeps and searches go on and show it.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import keras
import pandas as pd

from lesionbook import fitting, initial_weights, paths, predictions, trained, training
from lesionbook.architectures import builders, description, freezing
from lesionbook.errors import LesionbookError
from lesionbook.images import Store
from lesionbook.tuning import cost, kept, subsets
from lesionbook.tuning.kept import Listener
from lesionbook.tuning.settings import Setting

COMPLETE, PRUNED, DIVERGED, MEMORY, FAILED = "complete", "pruned", "diverged", "out of memory", "failed"
EXHAUSTED = ("RESOURCE_EXHAUSTED", "OOM when allocating", "out of memory")  # what backends say
LAYOUT = 1  # of what is kept; another number makes every run anew


class Stopped(Exception):
    """Raised by a listener that wants a training to end: it has seen enough."""


@dataclass(frozen=True)
class Bench:
    """What all runs of a notebook share.

    Attributes
    ----------
    store : Store
        Images; only rows of ``train`` and ``val`` are touched.
    images_digest : str
        SHA-256 of the stored images.
    study, profile : str
        Where initial weights of other experiments are looked for.
    owner : str
        Names the place of unfinished runs: processes that may be at the same run at the same time have different ones.
    """

    store: Store
    images_digest: str
    study: str = ""
    profile: str = ""
    owner: str = "run"


@dataclass(frozen=True)
class Outcome:
    """What became of a run.

    Attributes
    ----------
    state, reason : str
        ``complete``, ``pruned``, ``diverged``, ``out of memory`` or ``failed``, and why.
    history : DataFrame
        As returned by `lesionbook.fitting.fit`, the epochs that were finished, with ``phase`` (1, 2).
    answers : DataFrame
        Predictions of all validation images by the best epoch's weights; empty unless complete.
    chosen : frozenset of str
        Ids of the validation images that chose the best epoch.
    facts : dict
        ``parameters``, ``multiply_adds`` (per image), ``images`` (of the training side), ``steps`` (per epoch).
    seconds : list of float
        Measured time of each epoch; the only thing here that differs between machines.
    """

    state: str
    reason: str = ""
    history: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=kept.HISTORY))
    answers: pd.DataFrame = field(default_factory=pd.DataFrame)
    chosen: frozenset[str] = frozenset()
    facts: dict[str, int] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)


def attempt(
    setting: Setting,
    bench: Bench,
    *,
    seed: int,
    on_epoch: Callable[[pd.Series], None] = lambda row: None,
) -> Outcome:
    """Train a setting with a seed, or read what came of it before; errors of the training become its state.

    Parameters
    ----------
    setting : Setting
        From `lesionbook.tuning.settings.apply`.
    bench : Bench
        Images and places.
    seed : int
        Of the initial weights, the batches, the variants and, where the setting takes some of them, the images.
    on_epoch : callable
        Told the history's row of each epoch, also of those that were trained before; it may raise `Stopped`.

    Returns
    -------
    Outcome
    """
    _forget()
    keras.utils.set_random_seed(seed)
    listener = Listener(on_epoch)
    facts: dict[str, int] = {}
    try:
        return _attempt(setting, bench, seed, listener, facts)
    except Stopped as stop:
        return Outcome(PRUNED, str(stop), listener.history, facts=facts, seconds=listener.seconds)
    except Exception as error:  # a search of many hours must not end with one of its trials
        state = _state(error)
        reason = str(error).strip().split("\n")[0][:200] or type(error).__name__
        return Outcome(state, reason, listener.history, facts=facts, seconds=listener.seconds)


def _forget() -> None:
    """Free what earlier networks left, without losing number format and devices, which Keras would drop as well."""
    policy, distribution = keras.mixed_precision.dtype_policy(), keras.distribution.distribution()
    keras.utils.clear_session()
    keras.mixed_precision.set_dtype_policy(policy)
    if distribution is not None:
        keras.distribution.set_distribution(distribution)


def _state(error: Exception) -> str:
    if str(error) == fitting.DIVERGED:
        return DIVERGED
    exhausted = isinstance(error, MemoryError) or any(sign in str(error) for sign in EXHAUSTED)
    return MEMORY if exhausted else FAILED


@dataclass(frozen=True)
class _Ready:
    """A setting made ready for training: its images, its network and its fingerprint."""

    store: Store
    model: keras.Model
    key: str


def _ready(setting: Setting, bench: Bench, seed: int) -> _Ready:
    store = subsets.take(bench.store, {"train": setting.sample_size, "val": setting.validation_size}, seed=seed)
    build = builders.builder(setting.notebook)
    options = builders.options(build, setting.parameters, image_size=store.size, classes=len(store.classes))
    model = build(**options)
    origin = initial_weights.load(
        model, setting.weights, architecture=build.__name__, study=bench.study, profile=bench.profile
    )
    values = trained.decisive(
        options, store, setting.recipe, seed=seed, images_digest=bench.images_digest, weights=origin.sha256
    )
    second = setting.fine_tuning and setting.fine_tuning.model_dump(mode="json")
    return _Ready(store, model, trained.key(build, {"run": [LAYOUT, values, second]}, "lesionbook.tuning.subsets"))


def fingerprint(setting: Setting, bench: Bench, *, seed: int) -> str:
    """Everything that decides a run, as 16 hexadecimal digits."""
    return _ready(setting, bench, seed).key


def _attempt(setting: Setting, bench: Bench, seed: int, listener: Listener, facts: dict[str, int]) -> Outcome:
    ready = _ready(setting, bench, seed)
    store, model, key = ready.store, ready.model, ready.key
    facts |= {
        "parameters": description.parameters(model)["total"],
        "multiply_adds": cost.multiply_adds(model),
        "images": len(store.rows("train")),
        "steps": -(-len(store.rows("train")) // setting.recipe.batch_size),
    }
    folder = paths.cache() / f"run-{key}"
    chosen = frozenset(store.rows("val").index["image_id"])
    if folder.exists():
        answers = kept.read(folder, listener)
        return Outcome(COMPLETE, "", listener.history, answers, chosen, facts, listener.seconds)
    unfinished = paths.cache() / f"run-{key}.{bench.owner}.part"
    try:
        for phase in (1, 2):
            listener.replay(unfinished / f"phase{phase}" / "history.csv", phase)
        _train(model, setting, store, seed, unfinished, listener)
    except (Stopped, LesionbookError):  # what follows from its seed and setting leaves no weights behind
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    rows = bench.store.rows("val")
    answers = predictions.table(rows.index, training.predict(model, rows), rows.classes)
    answers = kept.write(folder, listener, answers)
    shutil.rmtree(unfinished, ignore_errors=True)
    return Outcome(COMPLETE, "", listener.history, answers, chosen, facts, listener.seconds)


def _train(model: keras.Model, setting: Setting, store: Store, seed: int, unfinished: Path, listener: Listener) -> None:
    """Train in one phase or two, from where an earlier process stopped."""
    first = trained.phase(model, store, setting.recipe, seed, unfinished / "phase1", 0, listener)
    second = setting.fine_tuning
    if second is not None:
        listener.phase = 2
        freezing.unfreeze(model, last=second.last, from_layer=second.from_layer)
        trained.phase(model, store, second, seed, unfinished / "phase2", len(first), listener)
