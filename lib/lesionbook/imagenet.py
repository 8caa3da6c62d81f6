"""ImageNet weights: the files of keras.applications, found or downloaded, and never used with a wrong checksum."""

import hashlib
import io
import os
import re
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras.src.backend import config
from keras.src.utils import file_utils

from lesionbook import paths
from lesionbook.architectures import pretrained
from lesionbook.errors import LesionbookError

APPLICATIONS = {  # architecture to its builder in keras.applications
    "vgg16": "VGG16",
    "resnet50v2": "ResNet50V2",
    "inception_resnet_v2": "InceptionResNetV2",
    "efficientnet_v2_b0": "EfficientNetV2B0",
}
PATIENCE = 30  # seconds without an answer after which a download has failed


def weights(architecture: str, image_size: int) -> tuple[dict[str, list[np.ndarray]], Path]:
    """Read the ImageNet weights of a network of keras.applications, without its top.

    Keras knows name, address and checksum of its files only inside its builders, so the builder is asked for a network
    with these weights, and its question for the file is answered here.

    Parameters
    ----------
    architecture : str
        A key of `APPLICATIONS`.
    image_size : int
        Side of the square input in pixels; the weights do not depend on it.

    Returns
    -------
    dict
        Name of each layer with weights to these, in the order of Keras.
    Path
        The file.

    Raises
    ------
    LesionbookError
        If there are no such weights, the file is neither there nor can be downloaded, or its checksum is not the
        published one.
    """
    if architecture not in APPLICATIONS:
        raise LesionbookError(
            f"weights: Keras has no ImageNet weights for {architecture}; write none, a file or an experiment in place "
            "of imagenet in the study file."
        )
    files: list[Path] = []

    def fetch(name: str, origin: str, *, file_hash: str, **_: Any) -> str:
        files.append(_fetched(name, origin, file_hash, architecture))
        return str(files[-1])

    with _asked(fetch):
        found = in_order_of_keras(architecture, image_size, "imagenet")
    (file,) = files
    return found, file


def in_order_of_keras(architecture: str, image_size: int, source: str) -> dict[str, list[np.ndarray]]:
    """Let a network of keras.applications load weights in its own way, which is by the order of its layers.

    Parameters
    ----------
    architecture, image_size
        As in `weights`.
    source : str
        What the builder is given: ``imagenet`` or a path.

    Returns
    -------
    dict
        Name of each layer with weights, as in the models of `lesionbook.architectures.pretrained`, to these.

    Raises
    ------
    ValueError
        If the file does not fit.
    """

    def build(**options: Any) -> keras.Model:
        return getattr(keras.applications, APPLICATIONS[architecture])(**options | {"weights": source})

    base = pretrained.base_of(build, keras.Input((image_size, image_size, 3)), "all")
    return {layer.name: layer.get_weights() for layer in base.layers if layer.weights}


@contextmanager
def _asked(fetch: Callable[..., str]) -> Iterator[None]:
    own = file_utils.get_file
    file_utils.get_file = fetch
    try:
        yield
    finally:
        file_utils.get_file = own


def _fetched(name: str, origin: str, expected: str, architecture: str) -> Path:
    """File in the folder where Keras keeps such files, whole and with the published checksum."""
    folder = Path(config.keras_home()).expanduser() / "models"
    kind = "sha256" if len(expected) == 64 else "md5"
    told, where = f"{name} ({kind.upper()} {expected})", _shown(folder)
    if not (folder / name).exists():
        try:
            _download(origin, expected, folder / name)
        except Exception as error:  # get_file raises Exception itself
            raise LesionbookError(
                f"The ImageNet weights of {architecture} could not be downloaded ({_reason(error)}); put {told} into "
                f"{where}, or write weights: none in the study file."
            ) from error
    elif _checksum(folder / name, kind) != expected:
        raise LesionbookError(
            f"{where}/{name} is not the published file of ImageNet weights; replace it by {told}, or delete it to have "
            "it downloaded."
        )
    return folder / name


def _download(origin: str, expected: str, file: Path) -> None:
    """Download beside the place, without Keras's progress bar, and move what is whole and right."""
    file.parent.mkdir(parents=True, exist_ok=True)
    before = socket.getdefaulttimeout()
    with tempfile.TemporaryDirectory(dir=file.parent) as folder, redirect_stdout(io.StringIO()):
        socket.setdefaulttimeout(PATIENCE)
        try:
            got = keras.utils.get_file(file.name, origin, cache_dir=folder, cache_subdir="", file_hash=expected)
        finally:
            socket.setdefaulttimeout(before)
        Path(got).replace(file)


def _reason(error: Exception) -> str:
    """Why a download failed, without addresses and folders."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    if isinstance(error, ValueError):
        return "what came is not the published file"
    return re.sub(r"^\[Errno -?\d+\] ", "", str(error).rsplit(" -- ", 1)[-1].rstrip("."))


def _checksum(file: Path, kind: str) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, kind).hexdigest()


def _shown(folder: Path) -> str:
    """Folder as written in messages, without the names of this machine's folders."""
    if folder.is_relative_to(Path.home()):
        return f"~/{folder.relative_to(Path.home()).as_posix()}"
    return "$KERAS_HOME/models" if "KERAS_HOME" in os.environ else paths.relative(folder)
