import numpy as np
from image_files import noise

from lesionbook.figures import prediction


def test_the_picture_stands_beside_its_evidence_with_a_scale():
    heat = np.linspace(0, 2, 12).reshape(3, 4)
    figure = prediction.attention(noise(40, 40), heat)
    left, right, bar = figure.axes
    assert [len(axes.images) for axes in (left, right)] == [1, 2]
    shown = right.images[1]
    assert shown.get_array().max() == 1, "the scale ends at 1"
    assert shown.get_extent() == right.images[0].get_extent(), "a coarse map covers the whole picture"
    assert bar.get_ylabel() == "relative contribution"


def test_without_evidence_the_picture_stands_alone():
    figure = prediction.attention(noise(40, 40), None)
    (axes,) = figure.axes
    assert (axes.images[0].get_array() == noise(40, 40)).all()
