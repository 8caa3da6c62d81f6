import numpy as np
import pytest
from small_store import CLASSES, small_store
from small_training import RECIPE, contents

from lesionbook import batches
from lesionbook.recipes import Augmentation
from lesionbook.weights import class_weights


@pytest.fixture(scope="module")
def store():
    return small_store()


def epochs_of(rows, seed=7, epochs=3):
    """Images and targets of each epoch, in the order in which they are shown."""
    made = batches.Batches(rows, RECIPE.model_copy(update={"augmentation": Augmentation()}), seed=seed)
    shown = []
    for epoch in range(epochs):
        made.start(epoch)
        pairs = [made[number] for number in range(len(made))]
        shown.append((contents(np.concatenate([x for x, _, _ in pairs])), np.concatenate([y for _, y, _ in pairs])))
    return shown


def test_every_epoch_shows_every_training_image_once_with_its_own_label(store):
    rows = store.rows("train")
    label_of = dict(zip(contents(rows.images()), rows.index["label"], strict=True))
    for images, targets in epochs_of(rows):
        assert sorted(images) == sorted(label_of)
        assert [CLASSES[code] for code in targets.argmax(axis=1)] == [label_of[image] for image in images]
        assert (targets.sum(axis=1) == 1).all()


def test_the_order_differs_between_epochs_and_seeds_and_agrees_between_runs(store):
    rows = store.rows("train")
    first, second, third = (images for images, _ in epochs_of(rows))
    again = [images for images, _ in epochs_of(rows)]
    assert [first, second, third] == again
    assert first != second != third != first
    assert epochs_of(rows, seed=8)[0][0] != first


def test_the_last_batch_is_smaller_but_not_dropped(store):
    made = batches.Batches(store.rows("train"), RECIPE, seed=7)
    assert [len(made[number][0]) for number in range(len(made))] == [5, 5, 5, 5, 2]


def test_variants_change_with_the_epoch_and_not_with_the_batch_size(store):
    def variants(size, epoch):
        made = batches.Batches(store.rows("train"), RECIPE.model_copy(update={"batch_size": size}), seed=7)
        made.start(epoch)
        return sorted(contents(np.concatenate([made[number][0] for number in range(len(made))])))

    assert variants(5, 1) == variants(11, 1)
    assert not set(variants(5, 0)) & set(variants(5, 1))


def test_an_image_weighs_as_much_as_its_class(store):
    rows = store.rows("train")
    made = batches.Batches(rows, RECIPE, seed=7)
    by_class = class_weights(rows.index["label"], CLASSES, "square_root")
    assert len(set(by_class.values())) == 3
    for _, targets, weights in (made[number] for number in range(len(made))):
        assert np.allclose(weights, [by_class[CLASSES[code]] for code in targets.argmax(axis=1)])


def mixed(store, seed=7, epoch=0, batch=1):
    made = batches.Batches(store.rows("train"), RECIPE.model_copy(update={"mixup": 0.5}), seed=seed)
    made.start(epoch)
    return made[batch]


def test_without_mixup_images_stay_whole_numbers(store):
    images, targets, _ = batches.Batches(store.rows("train"), RECIPE, seed=7)[0]
    assert images.dtype == np.uint8
    assert set(np.unique(targets)) == {0, 1}


def unmixed(image, row, pure):
    """Row and share by which another image of the batch was blended in, found by least squares."""
    for partner, other in enumerate(pure):
        away = pure[row] - other
        share = (away * (image - other)).sum() / max((away**2).sum(), 1)
        if partner != row and np.allclose(share * pure[row] + (1 - share) * other, image, atol=0.01):
            return partner, share
    raise AssertionError("no blend of two images of the batch")


def test_mixup_blends_pairs_of_a_batch_and_their_targets_by_one_share(store):
    images, targets, weights = mixed(store)
    single = batches.Batches(store.rows("train"), RECIPE, seed=7)
    pure, labels, _ = single[1]
    alone = [row for row in range(5) if np.allclose(images[row], pure[row], atol=0.01)]  # blended with themselves
    pairs = {row: unmixed(images[row], row, pure.astype(float)) for row in range(5) if row not in alone}
    assert len(pairs) >= 3
    assert sorted([partner for partner, _ in pairs.values()] + alone) == [0, 1, 2, 3, 4]
    assert np.ptp([share for _, share in pairs.values()]) < 1e-3
    for row, (partner, share) in pairs.items():
        assert 0 < share < 1
        assert np.allclose(targets[row], share * labels[row] + (1 - share) * labels[partner], atol=1e-3)
    assert np.allclose(targets[alone], labels[alone])
    assert np.allclose(weights, targets @ single.weights)


def test_blends_depend_on_seed_epoch_and_batch_alone(store):
    first = mixed(store)[0]
    assert np.array_equal(first, mixed(store)[0])
    for other in ({"seed": 8}, {"epoch": 1}, {"batch": 2}):
        assert not np.array_equal(first, mixed(store, **other)[0]), other


def test_each_batch_draws_its_own_share(store):
    shares = [mixed(store, batch=batch)[1].max(axis=1) for batch in range(4)]
    assert len({float(share[share < 1].min().round(4)) for share in shares if (share < 1).any()}) >= 3
