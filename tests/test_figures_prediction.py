import numpy as np
from image_files import noise

from lesionbook.figures import prediction


def test_a_map_lies_over_the_picture_with_a_scale():
    heat = np.linspace(0, 2, 12).reshape(3, 4)
    axes, bar = prediction.attention(noise(40, 40), heat).axes
    picture, shown = axes.images
    assert (picture.get_array() == noise(40, 40)).all()
    assert shown.get_array().max() == 1, "the scale ends at 1"
    assert shown.get_extent() == picture.get_extent(), "a coarse map covers the whole picture"
    assert bar.get_xlabel() == "relative contribution"


def test_without_a_map_the_picture_stands_alone():
    (axes,) = prediction.attention(noise(40, 40)).axes
    (picture,) = axes.images
    assert (picture.get_array() == noise(40, 40)).all()
