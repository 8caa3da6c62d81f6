"""A slide: its stain, its scanner, the looks of its nuclei and how its tumour grows.

The two stains, haematoxylin (blue, mostly nuclei) and eosin (pink, mostly protein), and the red of blood absorb light
by the Beer-Lambert law, so that thick and thin tissue keep the colours of a stained section.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from lesionbook.sample.nuclei import LOOKS, stamps

STAMPS = 96  # of each kind of nucleus on a slide


@dataclass(frozen=True)
class Growth:
    """How a metastasis grows; shares of its area from 0 to 1.

    `nest` is the number of nests across a field, `stroma` what lies between them, `lumen` the hollow of glands,
    `necrosis` what has died, `infiltrate` how densely lymphocytes stand in it; `spacing` of the nuclei is in pixels.
    """

    nest: float
    stroma: float
    lumen: float
    necrosis: float
    infiltrate: float
    spacing: float


@dataclass(frozen=True)
class Slide:
    """What the patches of one slide share.

    `haematoxylin`, `eosin` and `blood` are densities in red, green and blue; `glass` is the light through an empty
    slide from 0 to 1; `focus` is a blur in pixels, `grain` the noise of the sensor in grey levels; `nuclei` are stamps
    by kind.
    """

    haematoxylin: np.ndarray
    eosin: np.ndarray
    blood: np.ndarray
    glass: np.ndarray
    focus: float
    grain: float
    growth: Growth
    nuclei: dict[str, np.ndarray]


def slide(rng: np.random.Generator) -> Slide:
    """Draw the stain, the scanner, the nuclei and the tumour of one slide."""

    def tint(colour: tuple[float, float, float], spread: float) -> np.ndarray:
        return np.array(colour, np.float32) * np.exp(rng.normal(0, spread) + rng.normal(0, 0.05, 3)).astype(np.float32)

    small = rng.random() < 0.15  # tumours of small cells are easily taken for lymphocytes
    radius = rng.uniform(4.8, 5.6) if small else rng.uniform(6.0, 8.6)
    pale = rng.uniform(0, 1)
    look = {
        "radius": (0.75 * radius, 1.3 * radius), "slender": (1.0, rng.uniform(1.3, 2.0)),
        "ragged": rng.uniform(0.12, 0.3), "fill": 0.64 - 0.36 * pale, "rim": 0.1 + 0.22 * pale,
        "clumps": rng.uniform(0.3, 0.55), "nucleoli": int(rng.integers(0, 3)),
    }  # fmt: skip
    return Slide(
        haematoxylin=tint((0.87, 1.24, 0.60), 0.23),
        eosin=tint((0.14, 0.56, 0.28), 0.22),
        blood=tint((0.15, 0.86, 0.60), 0.12),
        glass=np.clip(rng.normal(0.96, 0.02) + rng.normal(0, 0.008, 3), 0.88, 1.0).astype(np.float32),
        focus=float(rng.uniform(0.35, 0.95)),
        grain=float(rng.uniform(1.2, 3.0)),
        growth=Growth(
            nest=float(rng.uniform(2.5, 8)),
            stroma=float(rng.uniform(0, 0.45)),
            lumen=float(rng.uniform(0.03, 0.15) if rng.random() < 0.35 else 0),
            necrosis=float(rng.uniform(0.02, 0.2) if rng.random() < 0.25 else 0),
            infiltrate=float(rng.uniform(0, 0.3) ** 1.3),
            spacing=radius * rng.uniform(1.95, 2.9),
        ),
        nuclei={kind: stamps(rng, STAMPS, **traits) for kind, traits in {**LOOKS, "tumour": look}.items()},
    )


def develop(base: Slide, stained: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Shine light through a section and record it: amounts of the three stains in, uint8 (height, width, 3) out."""
    planes = []
    blue, pink, red = stained
    grain = np.float32(base.grain) * rng.standard_normal(blue.shape, dtype=np.float32)
    for channel in range(3):
        density = blue * base.haematoxylin[channel] + pink * base.eosin[channel] + red * base.blood[channel]
        light = np.exp(-density) * (255 * base.glass[channel])
        planes.append(cv2.GaussianBlur(light, (0, 0), base.focus) + grain)
    return cv2.convertScaleAbs(np.maximum(cv2.merge(planes), 0))
