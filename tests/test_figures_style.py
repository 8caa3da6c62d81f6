from itertools import combinations

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb

from lesionbook.figures import style

# Machado, Oliveira, Fernandes, IEEE Transactions on Visualization and Computer Graphics 15(6), 2009: full severity,
# on linear RGB.
VISIONS = {
    "all cones": np.eye(3),
    "no red cones": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "no green cones": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
}


def lab(colour, vision):
    """CIELAB coordinates of a colour as seen with some cones."""
    srgb = np.array(to_rgb(colour))
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    linear = np.clip(np.array(VISIONS[vision]) @ linear, 0, 1)
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    xyz = to_xyz @ linear / np.array([0.9505, 1, 1.089])
    x, y, z = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("vision", VISIONS)
def test_eight_classes_stay_apart_for_colour_blind_readers(vision):
    places = [lab(colour, vision) for colour in style.CLASS_COLOURS[:8]]
    assert min(np.linalg.norm(one - other) for one, other in combinations(places, 2)) > 15


def test_palette_depends_on_the_set_of_classes_only():
    assert style.class_palette(["nv", "mel", "mel"]) == style.class_palette(["mel", "nv"])
    assert list(style.class_palette(["nv", "mel"])) == ["nv", "mel"]
    many = style.class_palette([f"c{number:02d}" for number in range(14)])
    assert len(set(many.values())) == 14


def test_ink_contrasts():
    assert style.ink_on("white") == style.INK
    assert style.ink_on("#08306b") == "white"


def test_names():
    assert style.long_name("mel", {"mel": "Melanoma"}) == "Melanoma (mel)"
    assert style.long_name("mel", None) == "mel"
    assert style.short_name("bkl", {"bkl": "Benign keratosis-like lesions"}, 22) == "Benign keratosis-like\nlesions"
    assert style.score_name("macro_auc") == "macro AUC"
    assert style.score_name("balanced_accuracy") == "balanced accuracy"


def test_figures_stay_out_of_pyplot():
    figure = style.figure(3)
    assert plt.get_fignums() == []
    assert mpl.rcParams["font.family"] == ["DejaVu Sans"]
    assert figure.get_size_inches().tolist() == [7.2, 3]
