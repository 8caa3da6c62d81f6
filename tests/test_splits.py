import random

import numpy as np
import pandas as pd
import pytest

from lesionbook import paths, splits
from lesionbook.errors import LesionbookError

pytestmark = pytest.mark.filterwarnings("error")

REAL = paths.root().parent / "shared" / "data" / "ham10000" / "HAM10000_metadata.csv"
CLASSES = ["akiec", "bcc", "bkl", "df", "mel", "nv", "vasc"]
COUNTS = [327, 514, 1099, 115, 1113, 6705, 142]
PUBLISHED = {
    "train": [261, 411, 879, 92, 890, 5364, 113, 8010],
    "val": [32, 51, 109, 11, 111, 670, 14, 998],
    "test": [34, 52, 111, 12, 112, 671, 15, 1007],
}


def made(groups_per_class, seed=0):
    """Labels and group numbers, one to four images a group, in mixed order."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(list(groups_per_class), list(groups_per_class.values()))
    repeats = rng.integers(1, 5, size=len(labels))
    order = rng.permutation(repeats.sum())
    numbers = np.repeat(np.arange(len(labels)), repeats)[order]
    return pd.Series(np.repeat(labels, repeats)[order]), numbers


def same_partition(found, expected):
    return len({*zip(found, expected, strict=True)}) == len(set(found)) == len(set(expected))


def test_together_follows_chains_through_a_third_image():
    lesion = pd.Series(["a", "a", "b", "c", "d", "d", "e"])
    picture = pd.Series(["1", "2", "2", "3", "4", "3", "5"])
    # a-a by lesion and a-b by picture 2; d-d by lesion and c-d by picture 3; e alone
    found = splits.together(lesion, picture)
    assert same_partition(found, [0, 0, 0, 1, 1, 1, 2])
    assert sorted(set(found)) == [0, 1, 2]
    assert same_partition(splits.together(lesion), [0, 0, 1, 2, 3, 3, 4])
    # a value of one key has nothing to do with the same value of another
    assert same_partition(splits.together(pd.Series(["x", "y"]), pd.Series(["y", "z"])), [0, 1])


def test_together_does_not_join_what_is_unknown():
    lesion = pd.Series(["a", None, None, "b"], index=[9, 8, 7, 6])
    assert same_partition(splits.together(lesion), [0, 1, 2, 3])
    assert same_partition(splits.together(lesion, pd.Series(["1", "2", "3", "2"])), [0, 1, 2, 1])
    assert len(splits.together(pd.Series([], dtype=str))) == 0


@pytest.mark.parametrize("fractions", [(0.8, 0.1, 0.1), (0.6, 0.2, 0.2), (0.5, 0.3, 0.2)])
def test_by_group_keeps_groups_whole_and_class_shares_near_equal(fractions):
    labels, groups = made({"nv": 300, "mel": 80, "df": 40})
    sides = splits.by_group(labels, groups, fractions, seed=3)
    assert (pd.Series(sides).groupby(groups).nunique() == 1).all()
    shares = pd.crosstab(labels.to_numpy(), sides, normalize="index")[list(splits.NAMES)]
    images = labels.value_counts().reindex(shares.index)
    assert (np.abs(shares.to_numpy() - fractions) * images.to_numpy()[:, None] <= 4).all(), (
        "within one group of the fraction"
    )


def test_by_group_follows_its_seed():
    labels, groups = made({"nv": 60, "mel": 30})
    first, again, other = (splits.by_group(labels, groups, (0.8, 0.1, 0.1), seed=seed) for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()


def test_by_group_does_not_look_at_the_index_of_the_labels():
    labels, groups = made({"nv": 60, "mel": 30})
    moved = labels.set_axis(np.arange(len(labels))[::-1])
    sides = [splits.by_group(series, groups, (0.6, 0.2, 0.2), seed=1) for series in (labels, moved)]
    assert (sides[0] == sides[1]).all()


def test_a_class_of_two_groups_cannot_stand_on_three_sides():
    labels, groups = made({"nv": 60, "df": 2})
    with pytest.raises(LesionbookError, match=r"^split: class 'df' has 2 groups; three sides need at least three\.$"):
        splits.by_group(labels, groups, (0.6, 0.2, 0.2), seed=0)


def test_a_class_that_misses_a_side_stops_the_split():
    labels = pd.Series(["nv"] * 90 + ["df"] * 4)
    groups = np.arange(94)
    with pytest.raises(LesionbookError, match=r"^split: none of the 4 groups of class 'df' came to (test|val); give "):
        for seed in range(10):  # four groups in ten folds: by chance one split may reach all sides
            splits.by_group(labels, groups, (0.8, 0.1, 0.1), seed=seed)


def test_fractions_without_a_common_unit():
    labels, groups = made({"nv": 60, "mel": 30})
    with pytest.raises(
        LesionbookError, match=r"^split: \(0\.7321, 0\.1339, 0\.134\) are no multiples .* round them\.$"
    ):
        splits.by_group(labels, groups, (0.7321, 0.1339, 0.134), seed=0)


def test_by_image_has_the_published_sizes():
    labels = pd.Series(np.repeat(CLASSES, COUNTS))
    ids = pd.Series([f"ISIC_{number:07d}" for number in range(len(labels))])
    sizes = splits.sizes(labels, splits.by_image(labels, ids, (0.8, 0.1, 0.1)), CLASSES)
    assert list(sizes.columns) == [*CLASSES, "total"]
    assert sizes.T.to_dict("list") == PUBLISHED


def test_by_image_is_the_algorithm_of_split_folders():
    """Per class folder: seed the global generator, sort the files, shuffle, cut at the truncated fractions."""
    rng = np.random.default_rng(0)
    labels = pd.Series(rng.choice(["a", "b", "c"], size=97))
    ids = pd.Series([f"ISIC_{number:07d}" for number in rng.permutation(5000)[:97]], index=rng.permutation(97))
    expected = {}
    for name in ("a", "b", "c"):
        files = sorted(f"{one}.jpg" for one in ids[(labels == name).to_numpy()])
        random.seed(1337)
        random.shuffle(files)
        train, val = int(0.8 * len(files)), int(0.8 * len(files)) + int(0.1 * len(files))
        sides = {"train": files[:train], "val": files[train:val], "test": files[val:]}
        expected |= {file.removesuffix(".jpg"): side for side, members in sides.items() for file in members}
    assert splits.by_image(labels, ids, (0.8, 0.1, 0.1)).tolist() == [expected[one] for one in ids]
    assert splits.by_image(labels, ids, (0.8, 0.1, 0.1), seed=1).tolist() != [expected[one] for one in ids]


def test_sizes_count_every_class_and_side_even_where_empty():
    labels = pd.Series(["b", "a", "b", "b"], index=[3, 2, 1, 0])
    table = splits.sizes(labels, np.array(["train", "train", "test", "train"], dtype=object), ["a", "b", "c"])
    assert table.to_dict("index") == {
        "train": {"a": 1, "b": 2, "c": 0, "total": 3},
        "val": {"a": 0, "b": 0, "c": 0, "total": 0},
        "test": {"a": 0, "b": 1, "c": 0, "total": 1},
    }


def test_shared_groups_counts_images_with_a_sibling_in_training():
    groups = pd.Series(["x", "x", "y", "y", "z", "x"])
    sides = np.array(["train", "test", "test", "test", "test", "val"], dtype=object)
    table = splits.shared_groups(groups, sides)
    assert table.to_dict("index") == {
        "val": {"images": 1, "with_sibling_in_training": 1, "share": 1.0},
        "test": {"images": 4, "with_sibling_in_training": 1, "share": 0.25},
    }
    assert splits.shared_groups(groups, np.array(["train"] * 6, dtype=object)).loc["val", "share"] == 0


@pytest.mark.skipif(not REAL.exists(), reason="the real metadata is not beside the project")
def test_on_the_real_metadata_the_published_split_leaks_and_the_split_by_lesion_does_not():
    table = pd.read_csv(REAL).sort_values("image_id", ignore_index=True)
    by_image = splits.by_image(table["dx"], table["image_id"], (0.8, 0.1, 0.1))
    assert splits.sizes(table["dx"], by_image, CLASSES).T.to_dict("list") == PUBLISHED
    leaking = splits.shared_groups(table["lesion_id"], by_image)
    assert leaking["images"].to_dict() == {"val": 998, "test": 1007}
    # counted by merging the two lists of lesions
    for side, (count, share) in {"val": (379, 0.3798), "test": (400, 0.3972)}.items():
        merged = table[by_image == side].merge(
            table.loc[by_image == "train", ["lesion_id"]].drop_duplicates(), on="lesion_id"
        )
        assert leaking.loc[side, "with_sibling_in_training"] == len(merged) == count
        assert leaking.loc[side, "share"] == pytest.approx(share, abs=5e-5)
    by_lesion = splits.by_group(table["dx"], splits.together(table["lesion_id"]), (0.8, 0.1, 0.1), seed=1337)
    assert (splits.shared_groups(table["lesion_id"], by_lesion)["with_sibling_in_training"] == 0).all()
    sizes = splits.sizes(table["dx"], by_lesion, CLASSES)
    assert np.abs(sizes.drop(columns="total") - np.outer((0.8, 0.1, 0.1), COUNTS)).to_numpy().max() < 6


def test_numbers_per_class_are_met_with_whole_groups():
    rng = np.random.default_rng(5)
    groups = np.repeat(np.arange(300), rng.choice([1, 1, 1, 2, 3], size=300))
    labels = pd.Series(np.where(groups % 3 == 0, "mel", "nv"))
    sides = splits.by_count(labels, groups, validation=20, test=30, seed=1)
    counts = pd.crosstab(sides, labels.to_numpy())
    assert counts.loc["val"].tolist() == [20, 20]
    assert counts.loc["test"].tolist() == [30, 30]
    assert pd.Series(sides).groupby(groups).nunique().max() == 1
    other = splits.by_count(labels, groups, validation=20, test=30, seed=2)
    assert (sides != other).any()


def test_numbers_that_do_not_fit_are_refused():
    labels = pd.Series(["mel"] * 10 + ["nv"] * 50)
    with pytest.raises(LesionbookError, match="only 4 of 6 images of class 'mel' fit into val"):
        splits.by_count(labels, np.arange(60), validation=6, test=6, seed=1)
    with pytest.raises(LesionbookError, match="no image of class 'mel' is left for training"):
        splits.by_count(labels, np.arange(60), validation=5, test=5, seed=1)
