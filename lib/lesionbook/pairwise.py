"""Which of two models is better: tests for every pair, adjusted for their number, and how many images would tell.

The evidence on a score is its paired difference on resampled groups (`lesionbook.statistics.paired_differences`).
McNemar's test takes every image as independent; beside it stands its exact version for groups, which swaps the two
models' answers to all images of a group together.
"""

from itertools import combinations

import numpy as np
import pandas as pd
from scipy.stats import norm
from statsmodels.stats.contingency_tables import mcnemar as contingency
from statsmodels.stats.multitest import multipletests

from lesionbook import delong, metrics, predictions, statistics

EXACT_BELOW = 25  # discordant images, below which McNemar's test takes the binomial distribution
ALPHA, POWER = 0.05, 0.8
BETTER, WORSE, NEITHER = "better", "worse", "not told apart"


def holm(p: pd.Series) -> pd.Series:
    """Adjust p values for their number (S. Holm, Scandinavian Journal of Statistics 6:65-70, 1979); NaN stays NaN."""
    adjusted = p.astype(float).copy()
    known = adjusted.notna()
    if known.any():
        adjusted[known] = multipletests(adjusted[known], method="holm")[1]
    return adjusted


def judged(differences: pd.DataFrame) -> pd.DataFrame:
    """Add p values, verdicts and the images needed to paired differences.

    Parameters
    ----------
    differences : DataFrame
        From `statistics.paired_differences`; p values are adjusted over its pairs, score by score.

    Returns
    -------
    DataFrame
        With ``p``, of the hypothesis that there is no difference, from the normal distribution with the standard
        deviation of the resamples; ``p_holm``; ``verdict`` of the model against the reference at 5 %;
        ``images_needed`` for a test set of this mix, see `images_for`.
    """
    table = differences.copy()
    table["p"] = [_p(row.difference, row.deviation) for row in table.itertuples()]
    table["p_holm"] = table.groupby("score", sort=False)["p"].transform(holm)
    table["verdict"] = verdicts(table)
    table["images_needed"] = [images_for(row.difference, row.deviation, row.n_images) for row in table.itertuples()]
    return table


def verdicts(table: pd.DataFrame) -> list[str]:
    """Say of each row, by ``difference`` and ``p_holm``, whether the model is better, worse or not told apart."""
    return [
        NEITHER if not row.p_holm < ALPHA else BETTER if row.difference > 0 else WORSE for row in table.itertuples()
    ]


def sentence(row: pd.Series) -> str:
    """Say in a sentence what a row of `judged` means."""
    if row["verdict"] != NEITHER:
        return f"{row['model']} is {row['verdict']} than {row['reference']} on this test set."
    needed = f"about {rounded(row['images_needed'])}".replace("about >1,000,000", "more than a million")
    return (
        f"{row['model']} and {row['reference']} are not told apart by this test set; {needed} images would be needed."
    )


def rounded(images: float) -> str:
    """Write a number of images with the two digits that it deserves, ``>1,000,000`` beyond a million."""
    if not np.isfinite(images) or images > 1e6:
        return ">1,000,000"
    digits = max(int(np.floor(np.log10(max(images, 1)))) - 1, 0)
    return f"{int(np.ceil(images / 10**digits)) * 10**digits:,}"


def images_for(difference: float, deviation: float, images: int) -> float:
    """How many images it would take to tell two models apart, were the difference the true one.

    Parameters
    ----------
    difference, deviation : float
        The difference seen and its standard deviation, on `images` images; the deviation falls with the root of their
        number if classes and images per group stay as they are.
    images : int

    Returns
    -------
    float
        For 80 % power at 5 %, two-sided; infinite without a difference.
    """
    if difference == 0:
        return np.inf
    return float(images * ((norm.ppf(1 - ALPHA / 2) + norm.ppf(POWER)) * deviation / difference) ** 2)


def connor(first: float, second: float) -> float:
    """How many independent pairs McNemar's test needs for 80 % power at 5 %, two-sided.

    R. J. Connor, Biometrics 43:207-211 (1987), after O. S. Miettinen, Biometrics 24:339-352 (1968).

    Parameters
    ----------
    first, second : float
        Share of the images that only the first, and only the second model gets right, 0..1.

    Returns
    -------
    float
        Infinite for equal shares.
    """
    discordant, gap = first + second, abs(first - second)
    if gap == 0:
        return np.inf
    reach = norm.ppf(1 - ALPHA / 2) * np.sqrt(discordant) + norm.ppf(POWER) * np.sqrt(discordant - gap**2)
    return float((reach / gap) ** 2)


def mcnemar(first: int, second: int) -> float:
    """P value of McNemar's test for counts of images that only one of two models gets right.

    Exact (binomial) below 25 such images, else chi-squared with continuity correction (Q. McNemar, Psychometrika
    12:153-157, 1947).
    """
    if first + second == 0:
        return 1.0
    exact = first + second < EXACT_BELOW
    return float(contingency([[0, first], [second, 0]], exact=exact, correction=True).pvalue)


def swapping(gains: np.ndarray) -> float:
    """Exact p value of a swap of both models' answers group by group.

    If the models are equally good, the answers to a group could as well be exchanged between them. All ways of doing so
    are counted; the p value is the share of them with a total at least as far from zero as the one seen. With one
    image per group this is McNemar's exact test.

    Parameters
    ----------
    gains : ndarray of int, shape (G,)
        Per group, images that only the first model gets right minus those that only the second does.
    """
    sizes = np.abs(gains[gains != 0]).astype(int)
    reach = int(sizes.sum())
    chances = np.zeros(2 * reach + 1)
    chances[reach] = 1.0
    for size in sizes:
        chances = (np.roll(chances, size) + np.roll(chances, -size)) / 2
    totals = np.abs(np.arange(-reach, reach + 1))
    return float(min(1.0, chances[totals >= abs(int(gains.sum()))].sum()))


def accuracies(frames: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Compare the accuracies of every pair of models.

    Parameters
    ----------
    frames : dict of DataFrame
        Prediction table of one split per model, all of the same images.

    Returns
    -------
    DataFrame
        ``model, reference, only_model, only_reference`` (images that only one gets right), ``difference``,
        ``n_images, n_groups, p_mcnemar, p`` (exact, by group), ``p_mcnemar_holm, p_holm, verdict``, and
        ``images_needed``: Connor's number times the variance of the difference between groups over that between
        images (the design effect).
    """
    frames = statistics.same_images(frames)
    right = {name: metrics.per_image(frame)["correct"].to_numpy(dtype=int) for name, frame in frames.items()}
    groups = next(iter(frames.values()))["group"]
    codes, names = pd.factorize(groups)
    sizes = np.bincount(codes)
    rows = []
    for reference, model in combinations(frames, 2):
        gain = right[model] - right[reference]
        by_group = np.bincount(codes, weights=gain, minlength=len(names)).round().astype(int)
        first, second = int((gain > 0).sum()), int((gain < 0).sum())
        spread = np.square(gain - gain.mean()).sum()
        effect = np.square(by_group - sizes * gain.mean()).sum() / spread if spread > 0 else 1.0
        needed = connor(first / len(gain), second / len(gain)) * effect
        rows.append((model, reference, first, second, gain.mean(), mcnemar(first, second), swapping(by_group), needed))
    table = pd.DataFrame(
        rows,
        columns=[
            *("model", "reference", "only_model", "only_reference"),
            *("difference", "p_mcnemar", "p", "images_needed"),
        ],
    )
    table = table.assign(p_mcnemar_holm=holm(table["p_mcnemar"]), p_holm=holm(table["p"]))
    return table.assign(verdict=verdicts(table), n_images=len(groups), n_groups=len(names))


def areas(frames: dict[str, pd.DataFrame], positive: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Compare the areas under the ROC curve of one class against the rest, by DeLong with whole groups.

    Parameters
    ----------
    frames : dict of DataFrame
        Prediction table of one split per model, all of the same images.
    positive : str
        The class.

    Returns
    -------
    DataFrame
        Index ``model``; ``estimate, low, high`` (logit scale).
    DataFrame
        ``model, reference, difference, low, high, z, p, p_holm, verdict`` of every pair.
    """
    frames = statistics.same_images(frames)
    first = next(iter(frames.values()))
    column = predictions.class_names(first).index(positive)
    scores = np.stack([predictions.probabilities(frame)[:, column] for frame in frames.values()])
    found = delong.areas((first["label"] == positive).to_numpy(), scores, first["group"].to_numpy())
    ends = [delong.interval(a, v) for a, v in zip(found.estimates, np.diag(found.covariance), strict=True)]
    single = pd.DataFrame(ends, columns=["low", "high"], index=pd.Index(list(frames), name="model"))
    single.insert(0, "estimate", found.estimates)
    names = list(frames)
    rows = [
        {"model": names[later], "reference": names[earlier]} | delong.difference(found, later, earlier)
        for earlier, later in combinations(range(len(names)), 2)
    ]
    pairs = pd.DataFrame(rows, columns=["model", "reference", "difference", "low", "high", "z", "p"])
    pairs = pairs.assign(p_holm=holm(pairs["p"]))
    return single, pairs.assign(verdict=verdicts(pairs))


def turned(pairs: pd.DataFrame, reference: str) -> pd.DataFrame:
    """Keep the pairs with one model, which becomes the reference of all of them."""
    opposite = {BETTER: WORSE, WORSE: BETTER}
    mine = pairs[pairs["reference"] == reference]
    others = pairs[pairs["model"] == reference].rename(columns={"model": "reference", "reference": "model"})
    others = others.assign(difference=-others["difference"], verdict=others["verdict"].replace(opposite))
    if "low" in others:
        others["low"], others["high"] = -others["high"], -others["low"]
    if "only_model" in others:
        others["only_model"], others["only_reference"] = others["only_reference"], others["only_model"].copy()
    kept = pd.concat([part[pairs.columns] for part in (mine, others) if len(part)], ignore_index=False)
    return kept.sort_index(kind="stable").reset_index(drop=True)


def _p(difference: float, deviation: float) -> float:
    """Two-sided p value of a difference, 1 where neither it nor the resamples differ from zero."""
    if deviation < 1e-12:
        return 1.0 if abs(difference) < 1e-12 else np.nan
    return float(2 * norm.sf(abs(difference) / deviation))
