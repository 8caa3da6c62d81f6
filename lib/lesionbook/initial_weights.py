"""The weights that a network starts from: random, ImageNet's, those of a file, or those of another experiment.

Keras is imported only where weights are loaded, so that the plan of a run can be made without it.
"""

from __future__ import annotations

import difflib
import hashlib
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from lesionbook import checks, params, paths
from lesionbook.errors import LesionbookError
from lesionbook.images import digest

if TYPE_CHECKING:
    import keras

Weights = dict[str, list[np.ndarray]]  # name of a layer to its weights
NONE, IMAGENET = "none", "imagenet"
HDF5, ARCHIVE = (".h5", ".hdf5"), ".keras"
TRAINED = "model.keras"  # what an experiment leaves


@dataclass(frozen=True)
class Origin:
    """Where the weights of a network's base come from.

    Attributes
    ----------
    description : str
        For the report: what follows "the weights are".
    layers, parameters : int
        How many layers were set, and how many numbers in them.
    file : str
        Name of the file without its folder; empty for random weights.
    sha256 : str
        64 hexadecimal digits: of the file or, for an experiment, of the weights taken from it, since Keras writes the
        time into the files it saves. ``none`` for random weights.
    """

    description: str
    layers: int = 0
    parameters: int = 0
    file: str = ""
    sha256: str = NONE


def needs(weights: str, study: str) -> tuple[str, str] | None:
    """Tell which experiment must have run before a network can start from these weights.

    Parameters
    ----------
    weights : str
        As in `load`.
    study : str
        Study of the network, for an experiment named without one.

    Returns
    -------
    tuple of str or None
        Study and experiment; None where no experiment is named.

    Raises
    ------
    LesionbookError
        If `weights` is nothing that `load` knows.
    """
    if weights in (NONE, IMAGENET) or Path(weights).suffix.lower() in (*HDF5, ARCHIVE):
        return None
    parts = weights.split("/")
    if len(parts) > 2 or not all(parts):
        raise LesionbookError(
            f"weights: {weights!r} is neither {NONE}, {IMAGENET}, a file (.h5, .weights.h5, .keras), an experiment nor "
            "study/experiment; write one of these in the study file."
        )
    return parts[0] if len(parts) == 2 else study, parts[-1]


def check(weights: str, *, study: str, profile: str) -> None:
    """Hold `weights` against what there is, before anything runs.

    Raises
    ------
    LesionbookError
        If `weights` is nothing that `load` knows, or names a file, a study or an experiment that does not exist.
    """
    wanted = needs(weights, study)
    if wanted is None:
        if weights not in (NONE, IMAGENET) and not _file(weights).is_file():
            raise LesionbookError(f"weights: there is no file {weights}; write its path from the project's folder.")
        return
    experiments = list(params.load(wanted[0], profile).experiments)
    if wanted[1] not in experiments:
        options = experiments if "/" in weights else [NONE, IMAGENET, *experiments]
        near = difflib.get_close_matches(wanted[1], options, n=1)
        meant = f"did you mean {near[0]!r}?" if near else f"there is {', '.join(experiments)}."
        raise LesionbookError(f"weights: params/{wanted[0]}.yml has no experiment {wanted[1]!r}; {meant}")


def load(model: keras.Model, weights: str, *, architecture: str, study: str = "", profile: str = "") -> Origin:
    """Put initial weights into the base of a flat model: everything before the layer ``features``.

    Parameters
    ----------
    model : keras.Model
        From a builder in `lesionbook.architectures`; its head keeps its weights.
    weights : str
        ``none``: the random ones it was built with. ``imagenet``: those of keras.applications, from the folder in which
        Keras keeps them, downloaded if they are not there. A path from the project's folder, ending in ``.h5``,
        ``.weights.h5`` or ``.keras``. ``<experiment>`` or ``<study>/<experiment>``: the network that this experiment
        trained under the same profile.
    architecture : str
        Name of the builder, of the trunk where metadata are joined.
    study, profile : str
        Of the run; an experiment is looked for there.

    Returns
    -------
    Origin

    Raises
    ------
    LesionbookError
        If the weights cannot be had, an experiment of another study has seen images that this one is judged by, the
        checksum of an ImageNet file is not the published one, or the weights do not set every layer of the base that
        has weights; the model is then as it was.
    """
    if weights == NONE:
        return Origin("random numbers")
    if weights == IMAGENET:
        return _imagenet(model, architecture)
    check(weights, study=study, profile=profile)
    wanted = needs(weights, study)
    if wanted is not None:
        if wanted[0] != study:  # the sides of one study have nothing in common
            sides = [_sides(profile, one) for one in (study, wanted[0])]
            checks.unseen_gate(*sides, source="/".join(wanted))
        return _experiment(model, *wanted, profile, architecture)
    return _of_file(model, weights, architecture)


def _imagenet(model: keras.Model, architecture: str) -> Origin:
    from lesionbook import imagenet

    found, file = imagenet.weights(architecture, model.inputs[0].shape[1])
    counts = _set(model, found, file.name, architecture)
    name = imagenet.APPLICATIONS[architecture]
    return Origin(f"those of {name} trained on ImageNet", *counts, file.name, digest(file))


def _of_file(model: keras.Model, weights: str, architecture: str) -> Origin:
    from lesionbook import imagenet

    file = _file(weights)
    found = _stored(file, weights)
    if not set(_layers(model)) <= set(found) and architecture in imagenet.APPLICATIONS:
        found = _in_order_of_keras(file, weights, architecture, model.inputs[0].shape[1])
    counts = _set(model, found, weights, architecture)
    return Origin(f"those of the file {weights}", *counts, file.name, digest(file))


def _experiment(model: keras.Model, study: str, experiment: str, profile: str, architecture: str) -> Origin:
    file = paths.step(profile, study, experiment) / TRAINED
    if not file.exists():
        raise LesionbookError(
            f"weights: {study}/{experiment} has left no network under the profile {profile}; run make report "
            f"STUDY={study} PROFILE={profile} first, or name an experiment that trains a network."
        )
    found = _stored(file, paths.relative(file))
    counts = _set(model, found, f"{study}/{experiment}", architecture)
    content = hashlib.sha256()
    for name in _layers(model):
        for weight in found[name]:
            content.update(f"{name} {weight.shape} {weight.dtype}".encode() + weight.tobytes())
    return Origin(f"those that {study}/{experiment} ended with", *counts, TRAINED, content.hexdigest())


def _sides(profile: str, study: str) -> pd.DataFrame:
    """Id, hash of the pixels and side of every image of a study."""
    folder = paths.step(profile, study, params.SECOND)
    if not (folder / "index.csv").exists():
        raise LesionbookError(
            f"weights: {study} has no preparation under the profile {profile}; run make report first."
        )
    index = pd.read_csv(folder / "index.csv", dtype=str)
    index["image_id"] = index.get("source_id", index["image_id"])  # a variant stands for the image it was made of
    files = pd.read_csv(folder / "files.csv", usecols=["image_id", "content"], dtype=str)
    return index[["image_id", "split"]].merge(files, on="image_id")


def _layers(model: keras.Model) -> dict[str, keras.Layer]:
    """Layers of the base that have weights, by name."""
    import keras

    base = keras.Model(model.inputs[0], model.get_layer("features").output)
    return {layer.name: layer for layer in base.layers if layer.weights}


def _set(model: keras.Model, found: Weights, source: str, architecture: str) -> tuple[int, int]:
    """Set every layer of the base or none; number of layers and of parameters."""
    layers = _layers(model)
    without = [
        name
        for name, layer in layers.items()
        if [tuple(weight.shape) for weight in layer.weights] != [weight.shape for weight in found.get(name, [])]
    ]
    if without:
        lacking = "no layer" if len(without) == len(layers) else f"not all layers (first {without[0]!r})"
        raise LesionbookError(
            f"weights: {source} fits {lacking} of the base of {architecture} as it is built here; name weights of this "
            "architecture, with the same widths, in the study file."
        )
    for name, layer in layers.items():
        layer.set_weights(found[name])
    return len(layers), sum(layer.count_params() for layer in layers.values())


def _stored(file: Path, source: str) -> Weights:
    """Weights in a file by the names of their layers; nothing in it is executed."""
    import h5py

    try:
        if file.suffix.lower() != ARCHIVE:
            with h5py.File(file) as content:
                return _by_name(content)
        with zipfile.ZipFile(file) as archive, archive.open("model.weights.h5") as part, h5py.File(part) as content:
            return _by_name(content)
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise LesionbookError(f"weights: {source} is damaged or no file of Keras; replace it.") from error


def _by_name(content: Any) -> Weights:
    found: Weights = {}
    layers = content.get("model_weights", content)
    for name in layers:  # up to Keras 2
        listed = layers[name].attrs.get("weight_names", ())
        found[name] = [layers[name][weight][()] for weight in listed]

    def keep(path: str, group: Any) -> None:  # Keras 3 numbers layers by kind, and notes their names
        if path.split("/")[-1] == "vars" and "name" in group.attrs:
            found[group.attrs["name"]] = [group[str(number)][()] for number in range(len(group))]

    content.visititems(keep)
    return found


def _in_order_of_keras(file: Path, source: str, architecture: str, image_size: int) -> Weights:
    """Weights of a file whose layers have other names, such as the one of InceptionResNetV2 for ImageNet."""
    from lesionbook import imagenet

    try:
        return imagenet.in_order_of_keras(architecture, image_size, str(file))
    except ValueError as error:
        raise LesionbookError(
            f"weights: {source} does not hold the layers of {architecture}, by name or in Keras's order; name weights "
            "of this architecture, without its top, in the study file."
        ) from error


def _file(weights: str) -> Path:
    return paths.root() / Path(weights).expanduser()
