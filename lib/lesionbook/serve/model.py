"""The network that is served: which one, and whether it still answers what its own prediction file says."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd

from lesionbook import calibration, ensemble, metrics, params, paths, predictions, run, tables, training
from lesionbook.architectures import layers  # noqa: F401 - registers the layers that stored networks are made of
from lesionbook.errors import LesionbookError

FILE = "model.keras"
SCORE = "balanced_accuracy"  # that of the comparison report
CHECKED = 16  # validation images answered before anyone asks
TOLERANCE = 1.5e-6  # the file holds six decimals


@dataclass(frozen=True)
class Model:
    """A network with what has to be known to answer like its report.

    Attributes
    ----------
    run : Run
        Of the experiment that trained it.
    title : str
        Of the experiment.
    network : keras.Model
    views : int
        Views averaged per prediction, as in the report.
    smallest : int
        Images that it must be given at once at least: some layers round otherwise where an image comes alone.
    version : str
        Experiment and the first 12 digits of the SHA-256 of the weights.
    validation, test : DataFrame
        Its prediction table.
    temperature : float
        That of `calibration.temperature` on the validation images.
    named : bool
        Whether it was asked for by name, not chosen.
    compared : str
        What the comparison report chose by the same score among all models; empty where it has not run.
    """

    run: run.Run
    title: str
    network: keras.Model
    views: int
    smallest: int
    version: str
    validation: pd.DataFrame
    test: pd.DataFrame
    temperature: float
    named: bool
    compared: str

    @property
    def size(self) -> int:
        """Side of the images that it takes in pixels."""
        return self.network.inputs[0].shape[1]


def choose(study: str, profile: str, among: Sequence[str] = ()) -> str:
    """Name the experiment whose network has the best balanced accuracy on the validation images.

    `among` names some experiments of the study; empty for all that train a network for images alone.

    The comparison report chooses by the same score, but among all models: one that is no network for images alone (a
    logistic regression, a mean of several networks, a network that is told age and sex) cannot be served.

    Raises
    ------
    LesionbookError
        If no network has been trained.
    """
    settings = params.load(study, profile)
    trained = [name for name in among or settings.networks if (paths.step(profile, study, name) / FILE).exists()]
    if not trained:
        raise LesionbookError(
            f"serve: no network of {study} has been trained under the profile {profile}; run make report "
            f"STUDY={study} PROFILE={profile} first."
        )
    return max(trained, key=lambda name: metrics.scores(_table(study, profile, name, "val"))[SCORE])


def load(study: str, profile: str, experiment: str = "") -> Model:
    """Read a network, by default the one that `choose` names, and make sure that it is the one of its report.

    Only a file that a run of this project left in its own folder is read, in Keras's safe mode: what a file names is
    looked up, nothing in it is executed. Seed, threads and number format are those of its training; it must then
    answer for validation images what its prediction file says.

    Parameters
    ----------
    study, profile : str
    experiment : str
        An experiment of the study that trains a network for images alone.

    Raises
    ------
    LesionbookError
        If there is no such network, it cannot be read, or it answers otherwise than its prediction file.
    """
    name = experiment or choose(study, profile)
    settings = params.load(study, profile)
    if name not in settings.networks:
        raise LesionbookError(
            f"params/{study}.yml: {name!r} leaves no network for images alone; name one of "
            f"{', '.join(settings.networks)}."
        )
    own = run.Run(study, profile, name, settings, paths.step(profile, study, name))
    known = params.defaults(paths.notebook(settings.experiments[name].notebook))
    known = known | params.arguments(study, profile, name, settings)
    training.begin(seed=known["seed"], threads=known["threads"], precision=known["precision"])
    network = _read(own.output / FILE)
    validation = _table(study, profile, name, "val")
    return Model(
        run=own,
        title=settings.experiments[name].title or tables.name(name),
        network=network,
        views=known["views"],
        smallest=_checked(own, network, known["views"], validation),
        version=f"{name}-{weights_hash(network)}",
        validation=validation,
        test=_table(study, profile, name, "test"),
        temperature=calibration.temperature(validation),
        named=bool(experiment),
        compared=_compared(own),
    )


def card(model: Model) -> dict[str, Any]:
    """Say what a network is, how it was chosen and how good it was, as plain values for JSON."""
    own, settings = model.run, model.run.settings
    summary = run.read_json(own.output / "summary.json")
    return {
        "version": model.version,
        "use": "A teaching tool, not a diagnosis. It must not be used to decide about a patient.",
        "study": own.study,
        "profile": own.profile,
        "question": settings.summary,
        "experiment": own.step,
        "title": model.title,
        "data_set": own.record.title
        + (", drawn by a program: its answers mean nothing clinically" if own.drawn else ""),
        "classes": own.names,
        "image": {"side": model.size, "fit": settings.images.fit, "views": model.views},
        "chosen": "by name"
        if model.named
        else f"the best {SCORE.replace('_', ' ')} on {len(model.validation)} validation images among the networks "
        "of the study for images alone",
        "best_of_all_models": model.compared,
        "validation": {SCORE: float(metrics.scores(model.validation)[SCORE])},
        "test": summary["scores"],
        "parameters": summary["parameters"],
        "temperature": model.temperature,
    }


def _read(file: Path) -> keras.Model:
    if not file.exists():
        raise LesionbookError(f"serve: {paths.relative(file)} is missing; run make report first.")
    try:
        return keras.models.load_model(file, compile=False, safe_mode=True)
    except Exception as error:  # Keras raises whatever it stumbles over
        raise LesionbookError(
            f"serve: {paths.relative(file)} is no network that this version can read; run make report again."
        ) from error


def _table(study: str, profile: str, name: str, split: str) -> pd.DataFrame:
    return predictions.read(paths.step(profile, study, name) / "predictions.csv", split)


def _checked(own: run.Run, network: keras.Model, views: int, validation: pd.DataFrame) -> int:
    """Hold answers against the prediction file; how many images must come together for the same bits."""
    known = validation.head(CHECKED)
    images = own.store().rows("val").of(known["image_id"])
    predict = ensemble.together([network], views=views)
    together = predict(images)
    stated = known[[predictions.PREFIX + name for name in own.classes]].to_numpy(dtype=float)
    if together.shape != stated.shape or np.abs(together - stated).max() > TOLERANCE:
        raise LesionbookError(
            f"serve: the network of {own.step} does not answer what its predictions.csv says; one of them is of "
            f"another run: make report STUDY={own.study} PROFILE={own.profile} makes both again."
        )
    alone = np.concatenate([predict(images[place : place + 1]) for place in range(len(images))])
    return 1 if (alone == together).all() else 2


def weights_hash(network: keras.Model) -> str:
    """SHA-256 of the weights, its first 12 hexadecimal digits: what tells two trainings apart in a version."""
    content = hashlib.sha256()
    for weight in network.weights:
        content.update(np.ascontiguousarray(keras.ops.convert_to_numpy(weight)).tobytes())
    return content.hexdigest()[:12]


def _compared(own: run.Run) -> str:
    file = own.folder(params.LAST) / "summary.json"
    return run.read_json(file)["chosen"] if file.exists() else ""
