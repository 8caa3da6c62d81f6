"""A project with a small trained network, its image files and its prediction file, ready to be served."""

import json
import shutil
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import yaml
from PIL import Image

from lesionbook import params, paths, predictions, run, storing, training
from lesionbook.architectures.residual_cnn import residual_cnn

ROOT = Path(__file__).resolve().parent.parent
CLASSES = {"blue": "Blue lesion", "green": "Green lesion", "red": "Red lesion"}
SIZE = 32
STUDY = {
    "title": "Colours",
    "summary": "Can colours be told apart?",
    "dataset": "image_folder",
    "seed": 3,
    "images": {"size": SIZE, "fit": "crop"},
    "split": {"train": 0.5, "validation": 0.25, "test": 0.25},
    "classes": {key: {"name": name} for key, name in CLASSES.items()},
    "experiments": {
        "explore": {"notebook": "01-explore"},
        "prepare": {"notebook": "03-prepare"},
        "other": {"notebook": "24-residual-cnn", "title": "Not trained"},
        "small": {"notebook": "24-residual-cnn", "title": "A small network", "parameters": {"views": 4}},
        "compare": {"notebook": "90-compare"},
    },
}
TINY = {"widths": (8, 16), "blocks": (1, 1), "dropout": 0.0}
PLACE = ("colours", "laptop")


def make(folder: Path, images: int = 72) -> Path:
    """Write the project; the network is trained for a few epochs. The working directory must be the folder."""
    (folder / "params").mkdir(parents=True)
    (folder / "params" / "colours.yml").write_text(yaml.safe_dump(STUDY, sort_keys=False))
    (folder / "notebooks").mkdir()
    shutil.copy(ROOT / "notebooks" / "24-residual-cnn.ipynb", folder / "notebooks")
    _draw(folder / "data" / "image_folder", images)
    settings = params.load(*PLACE)
    own = run.Run(*PLACE, "small", settings, paths.step("laptop", "colours", "small"))
    own.output.mkdir(parents=True)
    table = own.table.reset_index(drop=True)
    prepared = own.folder("prepare")
    storing.build(table, prepared / "images.npy", size=SIZE, fit="crop")
    splits = np.resize(["train", "val", "test", "train"], len(table))
    table[["image_id", "group", "label"]].assign(split=splits).to_csv(prepared / "index.csv", index=False)
    training.begin(seed=3, threads=1)
    store = own.store()
    network = residual_cnn(SIZE, len(CLASSES), **TINY)
    rows = store.rows("train")
    network.compile(keras.optimizers.Adam(0.01), "categorical_crossentropy")
    targets = np.eye(len(CLASSES))[rows.codes]
    network.fit(np.array(rows.images()), targets, epochs=6, batch_size=9, verbose=0)
    write(own, network)
    summary = {"scores": {"accuracy": {"estimate": 1.0}}, "parameters": {"total": network.count_params()}}
    (own.output / "summary.json").write_text(json.dumps(summary))
    own.folder("compare").mkdir()
    (own.folder("compare") / "summary.json").write_text('{"chosen": "colour statistics"}')
    return folder


def write(own: run.Run, network: keras.Model) -> None:
    """Leave what a notebook leaves: the network and its prediction file."""
    store = own.store()
    sides = [store.rows(split) for split in ("val", "test")]
    tables = [predictions.table(one.index, training.predict(network, one, views=4), own.classes) for one in sides]
    predictions.write(pd.concat(tables), own.output / "predictions.csv")
    network.save(own.output / "model.keras")


def _draw(folder: Path, images: int) -> None:
    """Pictures of different sizes and formats, blobs of their class's colour on skin."""
    rng = np.random.default_rng(5)
    for number in range(images):
        colour = number % 3
        width, height = int(rng.integers(40, 120)), int(rng.integers(40, 90))
        pixels = rng.normal([190, 160, 150], 14, (height, width, 3))
        y, x = np.ogrid[:height, :width]
        blob = (x - width / 2) ** 2 + (y - height / 2) ** 2 < (min(width, height) * rng.uniform(0.25, 0.45)) ** 2
        pixels[blob] = rng.normal(70, 25, (int(blob.sum()), 3))
        pixels[blob, 2 - colour] += 60
        path = folder / list(CLASSES)[colour] / f"i{number:03d}.{('png', 'jpg')[number % 2]}"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(path)
