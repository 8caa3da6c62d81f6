import io

import cv2
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from lesionbook import alignment, near_duplicates, splits
from lesionbook.errors import LesionbookError

SIDE = 96


def pictures(n, side=SIDE, seed=0):
    """Cloudy pictures with coarse and fine structure, no two alike."""
    rng = np.random.default_rng(seed)
    fields = [
        sum(cv2.GaussianBlur(rng.normal(size=(side, side, 3)), (0, 0), s) * s for s in (2, 5, 12)) for _ in range(n)
    ]
    stack = np.stack(fields)
    return np.clip(128 + 35 * stack / stack.std(axis=(1, 2, 3), keepdims=True), 0, 255).astype(np.uint8)


def moles(colours):
    """Round moles in the middle of a round field of view, each with a grain of its own."""
    rng = np.random.default_rng(5)
    made = []
    for colour in colours:
        picture = np.full((SIDE, SIDE, 3), (205, 170, 160), np.float32)
        cv2.ellipse(picture, (48, 47), (9, 11), 20, 0, 360, colour, -1)
        outside = cv2.circle(np.ones((SIDE, SIDE), np.uint8), (48, 48), 52, 0, -1)
        picture[outside == 1] *= 0.2
        made.append(np.clip(cv2.GaussianBlur(picture, (0, 0), 1) + rng.normal(0, 6, (SIDE, SIDE, 1)), 0, 255))
    return np.stack(made).astype(np.uint8)


def resized(image, box=None):
    return np.asarray(Image.fromarray(image).crop(box).resize((SIDE, SIDE), Image.Resampling.LANCZOS))


def compressed(image, quality):
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))


COPIES = {
    "compressed": lambda image: compressed(image, 50),
    "reduced": lambda image: resized(np.asarray(Image.fromarray(image).resize((67, 67), Image.Resampling.BILINEAR))),
    "brightened": lambda image: np.clip(image * 1.1 + 8, 0, 255).astype(np.uint8),
    "grey": lambda image: np.asarray(Image.fromarray(image).convert("L").convert("RGB")),
    "cut": lambda image: resized(image, (1, 1, SIDE - 1, SIDE - 1)),
}


def test_hashes_do_not_depend_on_their_company():
    images = pictures(5)
    hashes = near_duplicates.perceptual_hash(images)
    assert hashes.shape == (5, 4)
    assert hashes.dtype == np.uint64
    alone = [near_duplicates.perceptual_hash(image[None])[0] for image in images]
    assert (hashes == alone).all()
    assert len({tuple(row) for row in hashes}) == 5


@pytest.mark.parametrize("how", COPIES)
def test_copies_are_found_and_confirmed(how):
    images = pictures(12)
    both = np.concatenate([images, np.stack([COPIES[how](image) for image in images])])
    found = near_duplicates.pairs(near_duplicates.perceptual_hash(both))
    assert found["first"].tolist() == list(range(12))
    assert found["second"].tolist() == list(range(12, 24))
    assert (found["view"] == 0).all()
    kept = near_duplicates.confirmed(found, both)
    assert len(kept) == 12
    assert kept["correlation"].between(0.55, 1).all()


def test_mirrored_and_turned_copies_are_found_with_their_view():
    image = pictures(1)[0]
    turned = [image, *[np.rot90(image, k) for k in (1, 2, 3)], image[:, ::-1], image[::-1]]
    turned += [image.swapaxes(0, 1), np.rot90(image, 2).swapaxes(0, 1)]
    stack = np.stack(turned)
    found = near_duplicates.pairs(near_duplicates.perceptual_hash(stack))
    assert len(found) == 28
    assert found["bits"].max() <= 2
    for row in found.itertuples():
        assert (near_duplicates.seen(stack[row.second], row.view) == stack[row.first]).all()
    from_first = found.loc[found["first"] == 0, "view"]
    assert [near_duplicates.VIEWS[view] for view in from_first] == [
        "turned by 90° to the right",
        "turned by 180°",
        "turned by 90° to the left",
        "mirrored left to right",
        "mirrored top to bottom",
        "mirrored along the falling diagonal",
        "mirrored along the rising diagonal",
    ]
    assert near_duplicates.confirmed(found, stack)["correlation"].min() > 0.99


@pytest.mark.parametrize("most_bits", [48, 100])
def test_the_search_is_exact(monkeypatch, most_bits):
    images = np.concatenate([pictures(22), pictures(6)[::-1, :, ::-1], pictures(4)])
    hashes = near_duplicates.perceptual_hash(images)
    every = [
        near_duplicates.perceptual_hash(np.stack([near_duplicates.seen(image, view) for image in images]))
        for view in range(8)
    ]
    expected = {}
    for first in range(len(images)):
        for second in range(first + 1, len(images)):
            least = min(np.bitwise_count(hashes[first] ^ view[second]).sum() for view in every)
            if least <= most_bits:
                expected[first, second] = least
    monkeypatch.setattr(near_duplicates, "ROWS", 5)
    monkeypatch.setattr(near_duplicates, "COLUMNS", 7)
    found = near_duplicates.pairs(hashes, most_bits=most_bits)
    assert len(expected) > 10
    assert dict(zip(zip(found["first"], found["second"], strict=True), found["bits"], strict=True)) == expected
    assert list(zip(found["first"], found["second"], strict=True)) == sorted(expected)


def test_empty_glass_is_near_nothing():
    grain = np.random.default_rng(0).normal(0, 3, (40, SIDE, SIDE, 1))
    glass = np.clip(np.linspace(235, 250, 40)[:, None, None, None] + grain, 0, 255).astype(np.uint8).repeat(3, axis=3)
    glass = np.concatenate([glass, np.full((2, SIDE, SIDE, 3), 255, np.uint8)])
    hashes = near_duplicates.perceptual_hash(glass)
    assert not hashes.any()
    assert near_duplicates.pairs(hashes).empty


def test_glass_with_a_speck_in_the_corner_is_a_candidate_but_not_confirmed():
    glass = np.clip(240 + np.random.default_rng(1).normal(0, 2, (2, SIDE, SIDE, 3)), 0, 255).astype(np.uint8)
    glass[0, :9, :7] = (70, 20, 90)
    glass[1, :7, :11] = (150, 90, 160)
    found = near_duplicates.pairs(near_duplicates.perceptual_hash(glass))
    assert len(found) == 1
    assert near_duplicates.confirmed(found, glass).empty


def test_two_moles_in_the_middle_are_not_one_picture():
    images = moles([(60, 35, 30), (60, 35, 30), (120, 60, 45)])
    found = near_duplicates.pairs(near_duplicates.perceptual_hash(images), most_bits=80)
    assert len(found) == 3
    assert near_duplicates.confirmed(found, images, least_correlation=-1)["correlation"].max() < 0.4


def test_alignment_finds_the_cut_copy():
    image = pictures(1)[0]
    both = np.stack([image, resized(image, (4, 1, SIDE, SIDE - 2))])
    pair = pd.DataFrame({"first": [0], "second": [1], "bits": [40], "view": [0]})
    details = [alignment.details(alignment.small(one)) for one in both]
    assert np.corrcoef(details[0].ravel(), details[1].ravel())[0, 1] < near_duplicates.LEAST_CORRELATION
    assert near_duplicates.confirmed(pair, both)["correlation"].item() > 0.8


def test_images_without_details_have_no_correlation():
    flat = np.stack([np.full((SIDE, SIDE, 3), value, np.uint8) for value in (90, 200)])
    pair = pd.DataFrame({"first": [0], "second": [1], "bits": [0], "view": [0]})
    assert near_duplicates.confirmed(pair, flat, least_correlation=-1)["correlation"].tolist() == [0]


def test_large_images_are_reduced_before_they_are_compared():
    images = pictures(2, side=224)
    both = np.concatenate([images, np.stack([compressed(image, 30) for image in images])])
    kept = near_duplicates.confirmed(near_duplicates.pairs(near_duplicates.perceptual_hash(both)), both)
    assert list(zip(kept["first"], kept["second"], strict=True)) == [(0, 2), (1, 3)]


def test_too_many_pairs_stop_the_search(monkeypatch):
    monkeypatch.setattr(near_duplicates, "MOST_PAIRS", 10)
    hashes = near_duplicates.perceptual_hash(pictures(1)).repeat(6, axis=0)
    with pytest.raises(LesionbookError, match="More than 10 pairs of images differ by at most 48 of 255 bits"):
        near_duplicates.pairs(hashes)
    assert len(near_duplicates.pairs(hashes[:4])) == 6


def test_nothing_to_compare():
    empty = near_duplicates.pairs(np.empty((0, 4), np.uint64))
    assert list(empty) == ["first", "second", "bits", "view"]
    assert near_duplicates.confirmed(empty, np.empty((0, SIDE, SIDE, 3), np.uint8)).columns[-1] == "correlation"
    assert near_duplicates.clusters(empty, 3).isna().all()


def test_clusters_are_keys_for_the_split():
    pairs = pd.DataFrame({"first": [1, 3, 4], "second": [4, 6, 5]})
    keys = near_duplicates.clusters(pairs, 8)
    assert keys.fillna(-1).tolist() == [-1, 0, -1, 1, 0, 0, 1, -1]
    lesions = pd.Series(["a", "b", "a", "c", "d", "e", "f", "g"])
    sets = splits.together(lesions, keys)
    assert len(set(sets)) == 4
    assert sets[0] == sets[2]
    assert sets[1] == sets[4] == sets[5]
    assert sets[3] == sets[6]


INDEX = pd.DataFrame(
    {
        "image_id": list("pqrst"),
        "label": ["nv", "nv", "mel", "nv", "nv"],
        "group": ["a", "a", "b", "c", "a"],
        "split": ["train", "train", "val", "test", "train"],
    }
)
PAIRS = pd.DataFrame(
    {
        "first": [0, 0, 1, 2],
        "second": [1, 4, 3, 3],
        "bits": [9, 2, 20, 30],
        "view": [0, 3, 1, 0],
        "correlation": [0.9, 0.99, 0.8, 0.85],
    }
)


def test_listing_puts_contradictions_first():
    listed = near_duplicates.listing(PAIRS, INDEX)
    assert (listed["first_image_id"] + listed["second_image_id"]).tolist() == ["rs", "qs", "pt", "pq"]
    assert listed.iloc[0].to_dict() == {
        "first_image_id": "r",
        "second_image_id": "s",
        "first_label": "mel",
        "second_label": "nv",
        "first_group": "b",
        "second_group": "c",
        "first_split": "val",
        "second_split": "test",
        "bits": 30,
        "view": "as it is",
        "correlation": 0.85,
    }
    assert listed["view"].tolist() == ["as it is", "mirrored left to right", "turned by 180°", "as it is"]
    assert near_duplicates.counts(listed) == {"pairs": 4, "labels": 1, "groups": 2, "splits": 2}


def test_listing_before_the_split():
    listed = near_duplicates.listing(PAIRS, INDEX.drop(columns="split"))
    assert "first_split" not in listed
    assert near_duplicates.counts(listed) == {"pairs": 4, "labels": 1, "groups": 2}
    assert near_duplicates.counts(near_duplicates.listing(PAIRS.iloc[:0], INDEX))["pairs"] == 0
