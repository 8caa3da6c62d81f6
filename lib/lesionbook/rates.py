"""Optimizers and learning rates, and which epoch is the best: functions of the recipe and of the history alone.

Nothing is remembered between epochs that the history does not hold, so that a training that was interrupted goes on
with the same rate and stops at the same epoch as one that was not.
"""

from collections.abc import Sequence

import keras
import numpy as np

from lesionbook.recipes import Plateau, Recipe

Schedule = keras.optimizers.schedules.LearningRateSchedule


def optimizer(recipe: Recipe, steps_per_epoch: int) -> keras.optimizers.Optimizer:
    """Adam (Kingma and Ba, 2015), or AdamW (Loshchilov and Hutter, 2019) that keeps only kernels small."""
    rate = recipe.learning_rate if recipe.schedule in ("constant", "plateau") else schedule(recipe, steps_per_epoch)
    if recipe.optimizer == "adam":
        return keras.optimizers.Adam(rate)
    made = keras.optimizers.AdamW(rate, weight_decay=recipe.weight_decay)
    made.exclude_from_weight_decay(var_names=["gamma", "beta", "bias"])
    return made


def schedule(recipe: Recipe, steps_per_epoch: int) -> Schedule:
    """Learning rate by step.

    ``cosine``: linear warm-up to the peak rate, then half a cosine down to zero (Loshchilov and Hutter, 2017);
    ``exponential``: multiplied by `recipe.decay.rate` at every `recipe.decay.steps` steps.
    """
    if recipe.schedule == "exponential":
        return keras.optimizers.schedules.ExponentialDecay(
            recipe.learning_rate, recipe.decay.steps, recipe.decay.rate, staircase=True
        )
    warmup = min(recipe.warmup_epochs, recipe.epochs - 1) * steps_per_epoch
    return keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.0 if warmup else recipe.learning_rate,
        decay_steps=recipe.epochs * steps_per_epoch - warmup,
        warmup_target=recipe.learning_rate if warmup else None,
        warmup_steps=warmup,
    )


def after_plateaus(scores: Sequence[float], plateau: Plateau, learning_rate: float) -> float:
    """Learning rate of the next epoch, as Keras's ``ReduceLROnPlateau`` would have left it.

    Parameters
    ----------
    scores : sequence of float
        The monitored score of each epoch so far.
    plateau : Plateau
        When the rate falls, by how much and how far.
    learning_rate : float
        Rate of the first epoch.
    """
    best, waited = np.inf, 0
    for score in _falling(scores, plateau.monitor):
        if score < best - plateau.min_delta:
            best, waited = score, 0
            continue
        waited += 1
        if waited >= plateau.patience and learning_rate > plateau.min_learning_rate:
            learning_rate, waited = max(learning_rate * plateau.factor, plateau.min_learning_rate), 0
    return learning_rate


def best_epoch(scores: Sequence[float], monitor: str, min_delta: float = 0.0) -> int:
    """Position of the best epoch: the last one that was better than all before it by more than `min_delta`."""
    best, found = np.inf, 0
    for epoch, score in enumerate(_falling(scores, monitor)):
        if score < best - min_delta:
            best, found = score, epoch
    return found


def _falling(scores: Sequence[float], monitor: str) -> np.ndarray:
    """Scores turned so that less is better."""
    return np.asarray(scores, dtype=float) * (1 if monitor == "val_loss" else -1)
