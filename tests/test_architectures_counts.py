"""Numbers of parameters, as published or as counted by hand."""

import itertools
import re

import pytest

from lesionbook import params, paths
from lesionbook.architectures import builders, description, pretrained, resnet34
from lesionbook.architectures.normalized_cnn import TUNED, normalized_cnn
from lesionbook.architectures.plain_cnn import CONTROL, FINAL, plain_cnn
from lesionbook.architectures.vgg16_from_scratch import vgg16_from_scratch
from lesionbook.errors import LesionbookError

pytestmark = pytest.mark.usefixtures("one_thread")


def counts(total, trainable):
    return {"total": total, "trainable": trainable, "non_trainable": total - trainable}


# Shadis


@pytest.mark.parametrize(
    ("filters", "convolutions"),
    [
        (CONTROL, (27 + 1) * 32 + 2 * (9 * 32 + 1) * 32 + (9 * 32 + 1) * 64 + 2 * (9 * 64 + 1) * 64),
        (FINAL, (27 + 1) * 16 + 2 * (9 * 16 + 1) * 16 + (9 * 16 + 1) * 32 + 2 * (9 * 32 + 1) * 32),
    ],
    ids=["control", "final"],
)
@pytest.mark.parametrize("classes", [2, 3])
def test_the_plain_network_by_hand(filters, convolutions, classes):
    flat = 128 // 4 * 128 // 4 * filters[-1]
    dense = (flat + 1) * 128 + (128 + 1) * 64 + (64 + 1) * classes
    total = convolutions + dense
    assert description.parameters(plain_cnn(128, classes, filters=filters)) == counts(total, total)


# Resh


@pytest.mark.parametrize("activation", ["softmax", "relu"])
def test_the_normalized_network_by_hand(activation):
    convolutions = (9 * 3 + 1) * 32 + 9 * (32 * 64 + 64 * 128 + 128 * 256 + 256 * 512)
    channels = 32 + 64 + 128 + 256 + 512  # two numbers learned and two averages per channel
    flat = 1 * 1 * 512  # 96 -> 94 -> 47 -> 45 -> 22 -> 20 -> 10 -> 8 -> 4 -> 2 -> 1
    total = convolutions + 4 * channels + flat * 512 + 4 * 512 + (512 + 1)
    model = normalized_cnn(96, 2, activation=activation)
    assert description.parameters(model) == counts(total, total - 2 * (channels + 512))


def test_the_tuned_network_by_hand():
    convolutions = (27 + 1) * 192 + (9 * 192 + 1) * 256 + (9 * 256 + 1) * 416 + (9 * 416 + 1) * 160
    channels = 192 + 256 + 416 + 160
    flat = 4 * 4 * 160  # four blocks leave 4 of 96 pixels
    total = convolutions + 4 * channels + flat * 512 + 4 * 512 + (512 + 1)
    model = normalized_cnn(96, 2, filters=TUNED, bias="all")
    assert description.parameters(model) == counts(total, total - 2 * (channels + 512))


@pytest.mark.parametrize(("blocks", "least"), [(1, 4), (2, 10), (3, 22), (4, 46), (5, 94)])
def test_the_least_size_of_the_normalized_network_works_and_one_pixel_less_is_refused(blocks, least):
    filters = (2,) * blocks
    model = normalized_cnn(least, 2, filters=filters, dense=2)
    assert model.get_layer(f"block{blocks}_pool").output.shape[1:3] == (1, 1)
    with pytest.raises(LesionbookError, match=rf"{least - 1} pixels are too small, it takes at least {least}; .*fewer"):
        normalized_cnn(least - 1, 2, filters=filters, dense=2)


# Zhao


def test_vgg16_from_scratch_as_published_and_by_hand():
    found = description.parameters(vgg16_from_scratch(96, 2))
    assert found == {"total": 15_979_585, "trainable": 15_970_113, "non_trainable": 9_472}
    pairs = [(3, 64), (64, 64), (64, 128), (128, 128), (128, 256), (256, 256), (256, 256), (256, 512)]
    pairs += [(512, 512)] * 5
    convolutions = sum((9 * before + 1) * after + 4 * after for before, after in pairs)
    dense = (3 * 3 * 512 + 1) * 256 + 4 * 256 + (256 + 1) * 256 + 4 * 256 + (256 + 1)
    assert found["total"] == convolutions + dense


def basic_blocks(before, after, blocks, bias, averages):
    """Parameters of a stage whose first block changes the shape."""

    def convolution(size, wide, narrow):
        return (size * wide + bias) * narrow + (2 + averages) * narrow

    projection = convolution(1, before, after) if before != after else 0
    return projection + convolution(9, before, after) + (2 * blocks - 1) * convolution(9, after, after)


def as_built():
    """Parameters of the network as built, as its study file and its notebook have them."""
    experiment = params.load("metastasis-architectures", "paper").experiments["resnet34-as-built"]
    known = params.defaults(paths.notebook(experiment.notebook)) | experiment.parameters.model_dump(exclude_unset=True)
    return builders.options(resnet34.resnet34, known, image_size=96, classes=2)


def test_resnet34_as_built_as_published_and_by_hand():
    model = resnet34.resnet34(**as_built())
    found = description.parameters(model)
    assert found == {"total": 3_131_265, "trainable": 3_124_481, "non_trainable": 6_784}
    stem = (49 * 3 + 1) * 64 + 4 * 64
    first, second = (basic_blocks(64, 64, blocks, bias=1, averages=2) for blocks in (3, 4))
    third, fourth = basic_blocks(64, 128, 6, bias=1, averages=2), basic_blocks(128, 128, 3, bias=1, averages=2)
    assert found["total"] == stem + first + second + third + fourth + (128 + 1)
    sides = [model.get_layer(f"stage{stage}_block1_add").output.shape[1] for stage in (1, 2, 3, 4)]
    assert sides == [24, 24, 12, 12]


def test_the_slip_in_the_loop_gives_the_plan_of_the_network_as_built():
    filters, strides, repeats = [64, 64, 128, 128, 256, 256, 512, 512], [1, 1, 2, 1, 2, 1, 2, 1], [3, 4, 6, 3]
    assert [list(stage) for stage in zip(filters, strides, repeats, strict=False)] == as_built()["plan"]


def test_canonical_resnet34_by_hand_and_as_torchvision_counts():
    model = resnet34.resnet34(64, 1000)
    stem = 49 * 3 * 64 + 2 * 64
    stages = [(64, 64, 3), (64, 128, 4), (128, 256, 6), (256, 512, 3)]
    trainable = stem + sum(basic_blocks(*stage, bias=0, averages=0) for stage in stages) + (512 + 1) * 1000
    assert trainable == 21_797_672
    normalized = 64 + 6 * 64 + (8 + 1) * 128 + (12 + 1) * 256 + (6 + 1) * 512
    assert description.parameters(model) == counts(trainable + 2 * normalized, trainable)
    convolutions = [layer.name for layer in model.layers if "_convolution" in layer.name and layer.weights]
    assert len([name for name in convolutions if "shortcut" not in name]) + 1 == 34  # and the dense layer
    sides = [model.get_layer(f"stage{stage}_block1_add").output.shape[1] for stage in (1, 2, 3, 4)]
    assert sides == [16, 8, 4, 2]


def test_vgg16_fine_tuned_as_published_and_by_hand():
    model = pretrained.vgg16(
        96,
        2,
        pooling="flatten",
        dense=(4096, 4096),
        normalized=True,
        dropout=0.5,
        outputs="single_sigmoid",
        trainable_from="block5_conv1",
    )
    base = [layer for layer in model.layers if re.match(r"block\d", layer.name)]
    total = sum(layer.count_params() for layer in base)
    trainable = sum(layer.count_params() for layer in base if layer.trainable)
    assert counts(total, trainable) == {"total": 14_714_688, "trainable": 7_079_424, "non_trainable": 7_635_264}
    assert trainable == 3 * (9 * 512 + 1) * 512
    head = 3 * 3 * 512 * 4096 + 4 * 4096 + 4096 * 4096 + 4 * 4096 + (4096 + 1)
    assert description.parameters(model) == counts(total + head, trainable + head - 2 * 2 * 4096)


# Ramesh and Hitta


def test_vgg16_frozen_as_published():
    found = description.parameters(pretrained.vgg16(224, 7))
    assert found == {"total": 14_718_279, "trainable": 3_591, "non_trainable": 14_714_688}
    assert found["trainable"] == (512 + 1) * 7


def test_resnet50v2_frozen_as_published():
    found = description.parameters(pretrained.resnet50v2(32, 7))
    assert found == {"total": 23_827_975, "trainable": 263_175, "non_trainable": 23_564_800}
    assert found["trainable"] == (2048 + 1) * 128 + (128 + 1) * 7


def test_inception_resnet_v2_frozen_as_published():
    found = description.parameters(pretrained.inception_resnet_v2(75, 2))
    assert (found["total"], found["trainable"]) == (57_961_378, 3_624_642)
    widths = [1536, 1024, 1024, 512, 512, 256, 256, 64, 2]
    assert found["trainable"] == sum((before + 1) * after for before, after in itertools.pairwise(widths))
