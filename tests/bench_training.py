"""What features of a frozen base and reading from disk cost and save: `make bench`; not a test, nothing depends on it.

Every time is the least of several: on a machine that others use, the least disturbed run says most.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
import pandas as pd

from lesionbook import batches, decoding, features, fitting, params, processes, training
from lesionbook.architectures.pretrained import resnet50v2
from lesionbook.architectures.residual_cnn import residual_cnn
from lesionbook.datasets import ham10000 as dataset
from lesionbook.images import Rows, Store
from lesionbook.recipes import Augmentation, Recipe
from lesionbook.sample import ham10000 as sample

SEED = 1
SIZE = 96
QUARTILES = (0.25, 0.5, 0.75)
STUDY = params.load("ham10000-transfer", "laptop")
RESIDUAL = STUDY.experiments["residual-cnn"].parameters
KINDS = [("none", "resnet50v2", 1), ("8 variants", "resnet50v2-augmented", 8)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--images", type=int, default=640, help="drawn images to train on, and half as many to judge by"
    )
    parser.add_argument("--threads", type=int, default=4, help="threads to compute with")
    parser.add_argument("--epochs", type=int, default=6, help="of each training, 2 to 8; the first does not count")
    parser.add_argument("--pairs", type=int, default=12, help="epochs from disk and from memory in the second part")
    arguments = parser.parse_args()
    training.begin(seed=SEED, threads=arguments.threads)
    with tempfile.TemporaryDirectory(prefix="lesionbook-bench-") as folder:
        store = drawn(Path(folder), arguments.images)
        print(
            f"{processes.cores()} cores, {arguments.threads} threads, {keras.backend.backend()}, {arguments.images:,} "
            f"drawn images of {SIZE} × {SIZE} pixels to train on, {len(store.rows('val')):,} to judge by\n"
            "Seconds, the least of several epochs\n"
        )
        print("The base of ResNet50V2, frozen at random weights, under its head (batches of 16; an epoch with judging)")
        rows = [compare_features(store, *kind, arguments.epochs) for kind in KINDS]
        print(pd.DataFrame(rows).T.to_string(header=False), "\n")
        training.begin(seed=SEED, threads=arguments.threads, precision=RESIDUAL.precision)
        number_format = keras.mixed_precision.dtype_policy().name
        print(f"The residual CNN of the laptop profile (batches of 64; an epoch without judging), {number_format}")
        print(compare_input(store, arguments.pairs).to_string(header=False))


def drawn(folder: Path, images: int) -> Store:
    """A store on disk, two thirds of which are for training."""
    count = images * 3 // 2
    sample.draw(folder / "ham10000", images=count, seed=SEED, processes=1)
    table = dataset.read(folder / "ham10000").table
    np.save(folder / "images.npy", np.stack([decoding.decode(path, SIZE, "crop")[0] for path in table["path"]]))
    index = table[["image_id", "group", "label"]].assign(split=np.resize(["train", "train", "val"], count))
    return Store(index, np.load(folder / "images.npy", mmap_mode="r"), sorted(table["label"].unique()))


def recipe(experiment: str, epochs: int, variants: int = 0) -> Recipe:
    """How an experiment of the laptop profile trains, but never stopping early."""
    changes = {"epochs": epochs, "patience": epochs, "feature_variants": variants}
    return STUDY.experiments[experiment].parameters.recipe.model_copy(update=changes)


@dataclass
class Watch:
    """When epochs begin, when their last batch is through, and when they are judged."""

    begun: list[float] = field(default_factory=list)
    trained: list[float] = field(default_factory=list)
    judged: list[float] = field(default_factory=list)

    def batches(self, kind: type[batches.Batches]) -> type[batches.Batches]:
        """Batches of a kind that note when an epoch is taken up."""
        watch = self

        class Watched(kind):
            def start(self, epoch: int) -> None:
                super().start(epoch)
                watch.begun.append(time.perf_counter())

        return Watched

    def on_batch(self, _: int, batch: int, count: int) -> None:
        if batch == count:
            self.trained.append(time.perf_counter())

    def on_epoch(self, _: pd.Series) -> None:
        self.judged.append(time.perf_counter())

    def seconds(self, ends: list[float]) -> np.ndarray:
        """Seconds of each epoch up to one of its ends."""
        return np.array(ends) - self.begun[-len(ends) :]  # the batches are taken up once more when they are made


def fit(
    watch: Watch, model: keras.Model, *rows: object, kind: type[batches.Batches], **options: object
) -> pd.DataFrame:
    return fitting.fit(
        model,
        *rows,
        seed=SEED,
        batches=watch.batches(kind),
        on_batch=watch.on_batch,
        on_epoch=watch.on_epoch,
        **options,
    )


def compare_features(store: Store, kind: str, experiment: str, variants: int, epochs: int) -> dict[str, str]:
    """The head on stored features against the whole network, whose frozen base runs again in every epoch.

    In as many epochs as there are variants, both see the same images.
    """
    settings, (train, judge) = recipe(experiment, epochs, variants), (store.rows("train"), store.rows("val"))
    stored, whole = Watch(), Watch()
    base, head = features.parts(network(store))
    features.compute(base, judge)  # compiles it
    start = time.perf_counter()
    rows = features.compute(base, train, settings, seed=SEED), features.compute(base, judge)
    once = time.perf_counter() - start
    history = fit(stored, head, *rows, kind=features.Batches, recipe=settings)
    again = fit(whole, network(store), train, judge, kind=batches.Batches, recipe=settings)
    epoch, full = stored.seconds(stored.judged)[1:].min(), whole.seconds(whole.judged)[1:].min()
    apart = (history["val_accuracy"] - again["val_accuracy"]).abs().max()
    return {
        "augmentation": kind,
        "features, once": f"{once:.2f}",
        "epoch on stored features": f"{epoch:.3f}",
        "epoch with the base": f"{full:.2f}",
        "times as fast": f"{full / epoch:.0f}",
        "epochs until computing once has paid": f"{once / (full - epoch):.1f}",
        "validation accuracy, stored features": f"{history['val_accuracy'].iloc[-1]:.4f}",
        "validation accuracy, with the base": f"{again['val_accuracy'].iloc[-1]:.4f}",
        "largest difference in any epoch": f"{apart:.4f}",
    }


def network(store: Store) -> keras.Model:
    keras.utils.set_random_seed(SEED)
    return resnet50v2(SIZE, len(store.classes))


class Alternating(batches.Batches):
    """Even epochs from disk and varied; odd ones unvaried from batches that were put together beforehand."""

    def __init__(self, rows: Rows, recipe: Recipe, *, seed: int) -> None:
        super().__init__(rows, recipe, seed=seed)
        unvaried = batches.Batches(rows, recipe.model_copy(update={"augmentation": Augmentation()}), seed=seed)
        self.made = [unvaried[batch] for batch in range(len(unvaried))]

    def __getitem__(self, batch: int) -> tuple:
        return self.made[batch] if self.epoch % 2 else super().__getitem__(batch)


def compare_input(store: Store, pairs: int) -> pd.Series:
    """An epoch from disk and one from memory in turns, so that a busy moment of the machine meets both."""
    settings, rows = recipe("residual-cnn", 2 * pairs + 2), (store.rows("train"), store.rows("val"))
    options = {name: getattr(RESIDUAL, name) for name in ("widths", "blocks", "dropout")}
    watch, model = Watch(), residual_cnn(SIZE, len(store.classes), **options)
    fit(watch, model, *rows, kind=Alternating, recipe=settings)
    shown = batches.Batches(rows[0], settings, seed=SEED)
    alone = min(elapsed(lambda: [shown[batch] for batch in range(len(shown))]) for _ in range(2 * pairs))
    seconds = watch.seconds(watch.trained).reshape(-1, 2)[1:]  # in the first the network is compiled
    (disk, memory), count = seconds.min(axis=0), len(rows[0])
    shares = 1 - seconds[:, 1] / seconds[:, 0]
    return pd.Series(
        {
            "epoch, from disk and varied": f"{disk:.2f}",
            "epoch, from memory": f"{memory:.2f}",
            "share of an epoch that the input takes": f"{1 - memory / disk:.1%}",
            "the same of each pair of epochs, quartiles": ", ".join(f"{q:.1%}" for q in np.quantile(shares, QUARTILES)),
            "share if nothing else went on meanwhile": f"{alone / disk:.1%}",
            "images per second, training": f"{count / disk:,.0f}",
            "images per second, the batches alone, one thread": f"{count / alone:,.0f}",
        }
    )


def elapsed(function: Callable[[], object]) -> float:
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
