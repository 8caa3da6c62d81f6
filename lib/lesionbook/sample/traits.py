"""What a lesion of each diagnosis looks like, as ranges from which its traits are drawn.

The ranges follow the descriptions in dermoscopy (Argenziano et al., J Am Acad Dermatol 48:679, 2003) and overlap on
purpose, so that a model is neither perfect nor useless. They teach the handling of data, not medicine.
"""

from dataclasses import dataclass, fields

import numpy as np

ATYPICAL = 0.08  # share of lesions that look like another diagnosis

LOOKALIKES = {
    "akiec": ("bkl", "bcc"),
    "bcc": ("akiec", "nv", "bkl"),
    "bkl": ("nv", "mel", "akiec"),
    "df": ("nv", "bcc"),
    "mel": ("nv", "bkl"),
    "nv": ("mel", "bkl", "df"),
    "scc": ("akiec", "bcc", "bkl"),
    "vasc": ("mel", "bcc"),
}


@dataclass(frozen=True)
class Traits:
    """Traits of one lesion; lengths in pixels of the photograph, counts as such, strengths from 0 to about 1."""

    diameter: float = 200.0
    elongation: float = 1.2
    lobes: float = 1.0
    spread: float = 0.0
    jagged: float = 0.1
    fade: float = 0.15
    melanin: float = 0.0
    tan: float = 0.3
    black: float = 0.0
    blotches: float = 0.2
    core: float = 0.2
    blood: float = 0.0
    network: float = 0.0
    mesh: float = 11.0
    grain: float = 0.22
    globules: float = 0.0
    dots: float = 0.0
    streaks: float = 0.0
    veil: float = 0.0
    regression: float = 0.0
    milia: float = 0.0
    openings: float = 0.0
    fissures: float = 0.0
    vessels: float = 0.0
    nests: float = 0.0
    ulcer: float = 0.0
    strawberry: float = 0.0
    scales: float = 0.0
    scar: float = 0.0
    lacunae: float = 0.0
    purple: float = 0.0
    damage: float = 0.1


# (probability that the trait is there, lowest, highest); an absent trait keeps its default.
RANGES: dict[str, dict[str, tuple[float, float, float]]] = {
    "nv": {
        "diameter": (1, 80, 270), "elongation": (1, 1.0, 1.5), "lobes": (0.25, 2, 3.4), "spread": (1, 0.1, 0.35),
        "jagged": (1, 0.02, 0.09), "fade": (1, 0.12, 0.5), "melanin": (1, 0.4, 1.4), "tan": (1, 0.0, 0.45),
        "black": (0.1, 0.1, 0.6), "blotches": (1, 0.05, 0.3), "grain": (1, 0.05, 0.24),
        "core": (1, -0.1, 1.0), "blood": (0.5, 0.0, 0.28),
        "network": (0.55, 0.15, 0.6), "mesh": (1, 8, 14), "globules": (0.35, 8, 60), "dots": (0.2, 3, 15),
        "veil": (0.03, 0.3, 0.8), "streaks": (0.05, 5, 15), "regression": (0.06, 0.2, 0.6), "damage": (0.2, 0.1, 0.7),
    },
    "mel": {
        "diameter": (1, 180, 480), "elongation": (1, 1.0, 1.7), "lobes": (0.85, 2, 4.6), "spread": (1, 0.2, 0.6),
        "jagged": (1, 0.06, 0.19), "fade": (1, 0.06, 0.4), "melanin": (1, 0.4, 1.4), "tan": (1, 0.0, 0.6),
        "black": (0.8, 0.4, 1.3), "blotches": (1, 0.3, 0.8), "core": (1, -0.4, 0.6), "blood": (0.6, 0.03, 0.3),
        "network": (0.55, 0.3, 0.9), "mesh": (1, 9, 18), "globules": (0.3, 5, 40), "dots": (0.5, 8, 50),
        "streaks": (0.45, 8, 40), "veil": (0.55, 0.3, 1.0), "regression": (0.45, 0.3, 0.9), "damage": (0.5, 0.1, 0.9),
        "milia": (0.08, 3, 10), "vessels": (0.15, 1, 4),
    },
    "bkl": {
        "diameter": (1, 110, 460), "elongation": (1, 1.0, 1.7), "lobes": (0.5, 2, 3.6), "spread": (1, 0.15, 0.5),
        "jagged": (1, 0.03, 0.13), "fade": (1, 0.03, 0.22), "melanin": (1, 0.2, 0.95), "tan": (1, 0.4, 1.0),
        "black": (0.12, 0.1, 0.6), "blotches": (1, 0.1, 0.5), "core": (1, -0.4, 0.3), "blood": (0.5, 0.0, 0.3),
        "network": (0.35, 0.2, 0.7), "mesh": (1, 8, 16), "milia": (0.7, 6, 34), "openings": (0.6, 4, 26),
        "fissures": (0.4, 0.2, 0.6), "dots": (0.2, 4, 25), "scales": (0.15, 0.2, 0.6), "damage": (0.7, 0.1, 1.0),
        "regression": (0.1, 0.2, 0.5),
    },
    "bcc": {
        "diameter": (1, 110, 380), "elongation": (1, 1.0, 1.6), "lobes": (0.5, 2, 3.4), "spread": (1, 0.2, 0.6),
        "jagged": (1, 0.05, 0.15), "fade": (1, 0.25, 0.8), "melanin": (0.4, 0.05, 0.35), "tan": (1, 0.1, 0.8),
        "blotches": (1, 0.2, 0.6), "core": (1, -0.3, 0.3), "blood": (1, 0.06, 0.3), "vessels": (0.75, 2, 7),
        "nests": (0.8, 3, 14), "ulcer": (0.3, 0.3, 1.0), "scar": (0.3, 0.1, 0.4), "dots": (0.25, 3, 15),
        "veil": (0.2, 0.2, 0.6), "scales": (0.15, 0.2, 0.5), "damage": (0.8, 0.2, 1.0), "regression": (0.35, 0.2, 0.6),
    },
    "akiec": {
        "diameter": (1, 160, 480), "elongation": (1, 1.0, 1.7), "lobes": (0.75, 2, 4.4), "spread": (1, 0.25, 0.6),
        "jagged": (1, 0.08, 0.2), "fade": (1, 0.3, 0.9), "melanin": (0.7, 0.05, 0.55), "tan": (1, 0.2, 0.9),
        "blotches": (1, 0.3, 0.8), "core": (1, -0.3, 0.3), "blood": (1, 0.15, 0.45), "strawberry": (0.75, 0.4, 1.0),
        "scales": (0.65, 0.3, 1.0), "mesh": (1, 10, 20), "dots": (0.15, 3, 15), "vessels": (0.2, 1, 4),
        "ulcer": (0.12, 0.2, 0.6), "damage": (1, 0.4, 1.0),
    },
    "scc": {
        "diameter": (1, 180, 420), "elongation": (1, 1.0, 1.5), "lobes": (0.6, 2, 3.6), "spread": (1, 0.2, 0.5),
        "jagged": (1, 0.06, 0.16), "fade": (1, 0.2, 0.6), "melanin": (0.8, 0.05, 0.35), "tan": (1, 0.4, 1.0),
        "blotches": (1, 0.3, 0.7), "core": (1, -0.5, 0.2), "blood": (1, 0.2, 0.5), "strawberry": (0.3, 0.3, 0.7),
        "scales": (0.85, 0.6, 1.3), "mesh": (1, 10, 20), "milia": (0.4, 4, 20), "vessels": (0.6, 2, 6),
        "ulcer": (0.5, 0.4, 1.1), "damage": (1, 0.5, 1.0),
    },
    "df": {
        "diameter": (1, 140, 300), "elongation": (1, 1.0, 1.4), "lobes": (0.2, 2, 3.0), "spread": (1, 0.1, 0.4),
        "jagged": (1, 0.03, 0.1), "fade": (1, 0.3, 0.75), "melanin": (1, 0.25, 0.8), "tan": (1, 0.0, 0.6),
        "blotches": (1, 0.1, 0.4), "core": (1, -0.6, 0.3), "blood": (0.9, 0.05, 0.25), "scar": (0.95, 0.5, 1.0),
        "network": (0.6, 0.2, 0.6), "mesh": (1, 8, 13), "vessels": (0.1, 1, 3), "dots": (0.15, 3, 10),
        "damage": (0.3, 0.1, 0.6),
    },
    "vasc": {
        "diameter": (1, 60, 260), "elongation": (1, 1.0, 1.5), "lobes": (0.4, 2, 4.0), "spread": (1, 0.2, 0.5),
        "jagged": (1, 0.02, 0.09), "fade": (1, 0.04, 0.18), "melanin": (0.2, 0.05, 0.3), "black": (0.3, 0.3, 1.6),
        "blotches": (1, 0.1, 0.4), "core": (1, -0.1, 0.4), "blood": (1, 0.45, 1.0), "lacunae": (0.8, 0.2, 0.9),
        "mesh": (1, 16, 40), "purple": (0.6, 0.1, 0.8), "veil": (0.2, 0.2, 0.6), "scales": (0.1, 0.2, 0.5),
        "damage": (0.3, 0.1, 0.7),
    },
}  # fmt: skip


def traits(diagnosis: str, rng: np.random.Generator) -> Traits:
    """Draw the traits of a lesion of `diagnosis`, one of the keys of `RANGES`; about 8 % come from a look-alike."""
    source = diagnosis
    if rng.random() < ATYPICAL:
        source = str(rng.choice(LOOKALIKES[diagnosis]))
    values = {}
    for field in fields(Traits):
        probability, low, high = RANGES[source].get(field.name, (0, 0, 0))
        present, value = rng.random() < probability, rng.uniform(low, high)
        values[field.name] = float(value) if present else field.default
    return Traits(**values)
