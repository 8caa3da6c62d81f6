"""A training small enough for a test, and its recipe."""

from small_store import small_network

from lesionbook import fitting, training
from lesionbook.recipes import Augmentation, Recipe

TURNED = Augmentation(rotation_degrees=90, horizontal_flip=True, brightness=0.1)
RECIPE = Recipe(
    epochs=3,
    batch_size=5,
    learning_rate=0.01,
    weight_decay=0.02,
    patience=9,
    class_weights="square_root",
    augmentation=TURNED,
)


def fitted(store, recipe=RECIPE, seed=7, dropout=0.3, **options):
    training.begin(seed=seed, threads=1)
    model = small_network(dropout)
    history = fitting.fit(model, store.rows("train"), store.rows("val"), recipe, seed=seed, **options)
    return model, history


def contents(images):
    return [image.tobytes() for image in images]
