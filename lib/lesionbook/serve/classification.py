"""From the content of a file to an answer, by the same steps that led to the prediction files of the reports."""

import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

import keras
import numpy as np
import pandas as pd

from lesionbook import calibration, explain, paths, predictions, training
from lesionbook.images import Rows
from lesionbook.serve import out_of_distribution as familiarity
from lesionbook.serve import untrusted
from lesionbook.serve.limits import Limits
from lesionbook.serve.model import Model

BATCH = 32  # training images in the network at once
FOLDER = "serve"  # beside the steps of a study


@dataclass(frozen=True)
class Answer:
    """What the network says of an image.

    Attributes
    ----------
    label : str
        Key of the most probable class.
    probabilities : dict of str -> float
        By class, with the six decimals of the prediction files.
    calibrated : dict of str -> float
        The same at the temperature found on the validation images.
    unlike : float
        Score of `out_of_distribution`, divided by its threshold.
    """

    label: str
    probabilities: dict[str, float]
    calibrated: dict[str, float]
    unlike: float

    @property
    def known(self) -> bool:
        """Whether the picture is of the kind that the network was trained on."""
        return self.unlike <= 1


class Classifier:
    """A network with everything that an answer needs.

    Parameters
    ----------
    model : Model
    limits : Limits, optional

    Attributes
    ----------
    grad_cam : explain.GradCam
    familiarity : out_of_distribution.Familiarity
    """

    def __init__(self, model: Model, limits: Limits | None = None) -> None:
        self.model, self.limits = model, limits or Limits()
        self._network = _Watched(model.network)
        self.grad_cam = explain.GradCam(model.network)
        self._busy = threading.Lock()
        self.familiarity = self._familiarity()

    def decode(self, content: bytes, name: str, size: int | None = None) -> np.ndarray:
        """Decode the content of a file as the training images were decoded.

        Parameters
        ----------
        content : bytes
        name : str
            Of the file, for messages; only its last part is used.
        size : int, optional
            Side in pixels where it is only to be looked at; by default what the network takes.

        Returns
        -------
        ndarray of uint8, shape (S, S, 3)

        Raises
        ------
        LesionbookError
            As `untrusted.decode`.
        """
        fit = self.model.run.settings.images.fit
        return untrusted.decode(content, Path(shortened(name)), size or self.model.size, fit, self.limits)

    def answer(self, images: Sequence[np.ndarray]) -> list[Answer]:
        """Classify images, each uint8 of shape (S, S, 3), by one call of the network per view."""
        stack = np.stack(images)
        scores, features = self._predict(stack)
        classes = self.model.run.classes
        table = pd.DataFrame(scores, columns=[predictions.PREFIX + name for name in classes])
        calibrated = predictions.probabilities(calibration.scaled(table, self.model.temperature))
        unlike = self.familiarity.scores(features, stack) / self.familiarity.threshold
        return [
            Answer(classes[int(row.argmax())], _named(classes, row), _named(classes, scaled), round(float(far), 4))
            for row, scaled, far in zip(scores, calibrated, unlike, strict=True)
        ]

    def attention(self, image: np.ndarray, label: str) -> np.ndarray:
        """Map where the evidence for a class was found: Grad-CAM, float32 of shape (h, w), 0 to 1, or 0 everywhere."""
        with self._busy:
            place = np.array([self.model.run.classes.index(label)])
            return self.grad_cam(image[None], place)[0]

    def warm_up(self) -> None:
        """Answer and explain once with every kind of call, so that nobody waits for what happens only once."""
        image = np.zeros((self.model.size, self.model.size, 3), dtype=np.uint8)
        for number in (1, 2, 3):
            label = self.answer([image] * number)[0].label
        self.attention(image, label)

    def _predict(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Probabilities and features, by `training.predict` as in the reports."""
        lacking = max(self.model.smallest - len(images), 0)
        given = np.concatenate([images, *[images[-1:]] * lacking])
        rows = Rows(pd.DataFrame(index=range(len(given))), [], given, np.arange(len(given)))
        with self._busy:
            scores = training.predict(self._network, rows, views=self.model.views, batch_size=len(given))
            features = self._network.taken()
        return scores[: len(images)], features[: len(images)]

    def _familiarity(self) -> familiarity.Familiarity:
        """What training images are like; the features of these are computed once and kept in ``build``."""
        own = self.model.run
        store = own.store()
        sides = {}
        file = paths.step(own.profile, own.study, FOLDER) / f"{self.model.version}.npz"
        kept = dict(np.load(file)) if file.exists() else {}
        for split in ("train", "val"):
            rows = store.rows(split)
            places = familiarity.some(rows, own.settings.seed)
            if split not in kept or len(kept[split]) != len(places):
                kept[split] = self._features(rows, places)
            sides[split] = kept[split], rows.images(places)
        _keep(file, kept)
        return familiarity.fit(sides["train"], sides["val"])

    def _features(self, rows: Rows, places: np.ndarray) -> np.ndarray:
        parts = []
        for start in range(0, len(places), BATCH):
            self._network.predict_on_batch(rows.images(places[start : start + BATCH]))
            parts.append(self._network.taken())
        return np.concatenate(parts)


class _Watched:
    """Stands in for a network where it predicts, and remembers the features of the first view, the upright one."""

    def __init__(self, network: keras.Model) -> None:
        features = network.get_layer("features").output
        self._both = keras.Model(network.inputs[0], [features, network.output])
        self._features: np.ndarray | None = None

    def predict_on_batch(self, images: np.ndarray) -> np.ndarray:
        features, scores = self._both.predict_on_batch(images)
        if self._features is None:
            self._features = np.asarray(features, dtype=np.float32).reshape(len(images), -1)
        return scores

    def taken(self) -> np.ndarray:
        """Features since the last call, float32 of shape (N, F)."""
        features, self._features = self._features, None
        return features


def shortened(name: str) -> str:
    """Last part of a file's name, without what cannot be printed, at most 60 characters."""
    last = PurePath(str(name).replace("\\", "/")).name
    return "".join(letter for letter in last if letter.isprintable())[-60:] or "The file"


def _named(classes: list[str], values: np.ndarray) -> dict[str, float]:
    return {name: round(float(value), 6) for name, value in zip(classes, values, strict=True)}


def _keep(file: Path, arrays: dict[str, np.ndarray]) -> None:
    if file.exists():
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=file.parent) as folder:
        temporary = Path(folder) / file.name
        np.savez(temporary, **arrays)
        temporary.replace(file)
