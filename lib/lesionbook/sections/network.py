"""What is shown of a network: how it is built and trained, how training went, and where it looked."""

import json
from collections.abc import Callable

import keras
import numpy as np
import pandas as pd

from lesionbook import explain, exploration, params, paths, predictions, rates, report, tables, training
from lesionbook.architectures import builders, description
from lesionbook.augmentation import keys, variants
from lesionbook.figures import architecture as drawings
from lesionbook.figures import images as pictures
from lesionbook.figures import training as curves
from lesionbook.figures import understanding
from lesionbook.images import Rows, Store
from lesionbook.recipes import Augmentation, FineTuning, Recipe
from lesionbook.run import Run

EMBEDDED = 2000  # images in an embedding at most: more hide each other, and they are in memory at once


def architecture(model: keras.Model, *, fine_tuned: bool = False) -> dict[str, int]:
    """Draw a network and list its blocks with their parameters; `fine_tuned` if a second phase trains more of them.

    Returns
    -------
    dict
        Number of parameters: ``total``, ``trainable``, ``non_trainable``.
    """
    layers, size = description.layers(model), description.parameters(model)
    report.show_figure(
        drawings.drawing(layers),
        label="architecture",
        caption="The network from input to output; boxes follow the size and number of the feature maps.",
        alt="Drawing of the network as a sequence of boxes with output shapes and parameter counts.",
    )
    row = (layers["block"] != layers["block"].shift()).cumsum()  # a block that others interrupt has several
    by_block = layers.groupby(row).agg(
        block=("block", "first"),
        layers=("name", "size"),
        output=("output_shape", "last"),
        parameters=("parameters", "sum"),
    )
    report.show_table(
        by_block,
        label="parameters",
        caption=f"Layers and parameters by block; {size['total']:,} parameters in all, {size['trainable']:,} of them "
        f"trained{' in the first phase' if fine_tuned else ''}, {size['non_trainable']:,} fixed (frozen weights and "
        "moving averages).",
        formats={"parameters": "{:,}"},
        index=False,
    )
    return size


def published_parameters(run: Run, build: Callable[..., keras.Model]) -> None:
    """Hold the number of parameters of the network in its published size against the published number.

    The network is built as the profile ``paper`` has it, whatever the profile of this run.
    """
    stated = run.settings.published.get("parameters", {}).get(run.step)
    if stated is None:
        report.show_note("The study states no number of parameters for the whole of this network.")
        return
    paper = params.load(run.study, "paper")
    experiment = paper.experiments[run.step]
    known = params.defaults(paths.notebook(experiment.notebook))
    known |= json.loads(experiment.parameters.model_dump_json(exclude_unset=True))
    options = builders.options(build, known, image_size=paper.images.size, classes=len(run.classes))
    size = description.parameters(build(**options))
    run.write_json("published-parameters.json", size)  # lesionbook.reproduction gathers these
    rows = [(name.replace("_", " "), count, size[name]) for name, count in stated.items()]
    table = pd.DataFrame(rows, columns=["parameters", "published", "here"])
    report.show_table(
        table.assign(agrees=(table["published"] == table["here"]).map({True: "yes", False: "no"})),
        label="published-parameters",
        caption=f"Number of parameters as published, and as built here in the published size "
        f"({paper.images.size} × {paper.images.size} pixels).",
        formats={"published": "{:,}", "here": "{:,}"},
        index=False,
    )


def training_images(rows: Rows, recipe: Recipe, *, seed: int) -> None:
    """Show a training image and its variants in nine epochs, where the recipe has any."""
    if recipe.augmentation == Augmentation():
        report.show_note("Training images are shown as they are: the recipe changes nothing in them.")
        return
    image, key = rows.images(slice(0, 1))[0], keys(rows.index["image_id"].head(1))[0]
    report.show_figure(
        pictures.augmentations(image, variants(image, recipe.augmentation, seed=seed, key=key, count=9)),
        label="augmentation",
        caption="A training image and the variants of it in nine epochs.",
        alt="One training image beside nine random variants of it.",
    )


def recipe(phase: Recipe, fine_tuning: FineTuning | None = None) -> None:
    """List how a network is trained, in one or two phases."""
    columns = {"value": _used(phase)}
    if fine_tuning is not None:
        columns = {"first phase": _used(phase), "second phase": _used(fine_tuning)}
    knobs = list(dict.fromkeys(knob for column in columns.values() for knob in column.index))
    table = pd.DataFrame({name: column.reindex(knobs, fill_value="–") for name, column in columns.items()})
    report.show_table(table.rename_axis("knob").reset_index(), label="recipe", caption="The recipe.", index=False)


def _used(phase: Recipe) -> pd.Series:
    """Settings that have a part in this phase, by their names."""
    values = {name: value for name, value in phase.model_dump().items() if value is not None}
    values |= {"layers_that_learn": f"the last {last}"} if (last := values.pop("last", None)) else {}
    for name, needed in {
        "plateau": phase.schedule == "plateau",
        "decay": phase.schedule == "exponential",
        "warmup_epochs": phase.schedule == "cosine",
        "weight_decay": phase.optimizer == "adamw",
        "feature_variants": phase.feature_variants > 0,
        "mixup": phase.mixup > 0,
        "label_smoothing": phase.label_smoothing > 0,
        "min_delta": phase.min_delta > 0,
    }.items():
        if not needed:
            del values[name]
    return tables.settings(values).set_index("knob")["value"]


def learning_curves(history: pd.DataFrame, phase: Recipe) -> None:
    """Draw loss, scores and learning rate by epoch, and say which epoch is kept."""
    last = history[history["phase"] == history["phase"].max()]
    phases = " of the second phase" if history["phase"].nunique() > 1 else ""
    best = int(last["epoch"].iloc[rates.best_epoch(last[phase.monitor], phase.monitor, phase.min_delta)])
    report.show_figure(
        curves.curves(history, monitor=phase.monitor, best=best),
        label="curves",
        caption=f"Learning curves. The weights of epoch {best} are kept, the best{phases} by "
        f"{tables.name(phase.monitor)}, each validation image seen once as it is.",
        alt="Loss, accuracy and learning rate against the epoch for training and validation images.",
    )


def answers(run: Run, model: keras.Model, store: Store, *, views: int = 1) -> pd.DataFrame:
    """Predict validation and test images, write ``predictions.csv``, and give the rows of the test images."""
    gathered = [
        predictions.table(rows.index, training.predict(model, rows, views=views), run.classes)
        for rows in (store.rows("val"), store.rows("test"))
    ]
    predictions.write(pd.concat(gathered), run.output / "predictions.csv")
    return predictions.read(run.output / "predictions.csv", split="test")


def attention(run: Run, model: keras.Model, test: pd.DataFrame, store: Store, *, examples: int, seed: int) -> None:
    """Show by Grad-CAM which regions of some test images spoke for the answer."""
    chosen = exploration.choose(test, examples, seed=seed)
    rows = store.rows("test")
    found = rows.find(chosen["image_id"])
    images = rows.images(found)
    answered = predictions.predicted(chosen)
    heat = explain.grad_cam(model, images, np.array(answered.map(run.classes.index)), rows.beside(found))
    titles = [f"{label}, answered {answer}" for label, answer in zip(chosen["label"], answered, strict=True)]
    report.show_figure(
        pictures.overlays(images, heat, titles=titles),
        label="grad-cam",
        caption="Test images of each class, chosen at random, and the regions that spoke for the answer (Grad-CAM). "
        "The answer is that of all views together, the map that of the upright view.",
        alt="Pairs of test images and the same images with a heat map.",
    )


def first_layer(model: keras.Model, rows: Rows) -> None:
    """Show the kernels of the first convolution and what they make of one image."""
    report.show_figure(
        understanding.kernels(explain.kernels(model)),
        label="kernels",
        caption="Kernels of the first convolution; grey is zero. Those that did not learn, or learned for a short time "
        "from random weights, look like noise.",
        alt="Small colour tiles, one per kernel of the first convolution.",
    )
    image = rows.images(slice(0, 1))
    report.show_figure(
        understanding.feature_maps(image[0], explain.feature_maps(model, image)[0]),
        label="feature-maps",
        caption=f"The image {rows.index['image_id'].iloc[0]} and up to 16 feature maps of the first convolution.",
        alt="One image beside grey maps of the answers of the first convolution.",
    )


def embedding(run: Run, model: keras.Model, rows: Rows, *, seed: int) -> None:
    """Lay the images out by the features that enter the head, coloured by class."""
    chosen = np.sort(np.random.default_rng(seed).permutation(len(rows))[:EMBEDDED])
    points = explain.embedding(explain.features(model, rows.images(chosen), rows.beside(chosen)), seed=seed)
    shown = "The test images" if len(chosen) == len(rows) else f"{EMBEDDED:,} of the test images, chosen at random,"
    report.show_figure(
        understanding.embedding(points, rows.index["label"].iloc[chosen].reset_index(drop=True), names=run.names),
        label="embedding",
        caption=f"{shown} by the two directions in which the features that enter the head vary most (principal "
        "components); the axes say how much of the variation each of them holds.",
        alt="Scatter of the test images by two principal components, one colour and marker per class.",
    )
