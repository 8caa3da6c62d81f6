"""The sentences of the page."""

import numpy as np
import pandas as pd

from lesionbook.explain import LAST, GradCam
from lesionbook.run import DRAWN
from lesionbook.serve.classification import Answer
from lesionbook.serve.evidence import Evidence, at_least, nearest
from lesionbook.serve.model import Model

INVITATION = "Drop a picture or pick a test image to see what the network says."
PICTURE = "The picture, cut or squeezed to a square."
NOWHERE = "\n\nNo place of the picture raised the score of this answer: there is no map of its evidence."
GONE = "## The file is gone\n\nIt waited too long to be read; drop it again."


def heading(model: Model) -> str:
    """Title of the study, its question, and what this must not be used for."""
    own = model.run
    drawn = f"\n\n> {DRAWN.format(subject=own.record.subject).replace('in this report', 'of this study')}"
    return (
        f"# {own.settings.title}\n\n*{own.settings.summary}* The network *{model.title}* answers.\n\n"
        f"**A teaching tool, not a diagnosis.** It must not be used to decide about a patient."
        f"{drawn if own.drawn else ''}"
    )


def verdict(model: Model, answer: Answer, test: pd.DataFrame) -> str:
    """What the answer is worth by the test images, or by some of them."""
    name, score = model.run.names[answer.label], answer.probabilities[answer.label]
    found, near = (find(test, answer.label, score) for find in (at_least, nearest))
    kind = "test image" if len(test) == len(model.test) else "other test image"
    if found.n:
        told = (
            f"Of the {len(test):,} {kind}s, {found.n:,} {'was' if found.n == 1 else 'were'} called *{name}* with this "
            f"score or a higher one, and **{found.right:,} of them rightly so: a positive predictive value of "
            f"{percent(found.right / found.n)}** ({_interval(model, found)})."
        )
    else:
        told = f"No {kind} was called *{name}* with this score or a higher one: how often that is right is not known."
    if near.n:
        told += (
            f" Of the {near.n:,} called so with the nearest scores ({percent(near.scores[0])} to "
            f"{percent(near.scores[1])}), {near.right:,} rightly so: {percent(near.right / near.n)} "
            f"({_interval(model, near)})."
        )
    actual = (test["label"] == answer.label).mean()
    return (
        f"## {name}\n\nThe network's score is {percent(score, 2)}; corrected on the validation images (below), "
        f"{percent(answer.calibrated[answer.label], 1)}.\n\n{told} {percent(actual)} of the test images are *{name}*; "
        "where it is rarer, fewer such answers are right.\n\n**This is not a diagnosis.**"
    )


def _interval(model: Model, found: Evidence) -> str:
    lesions = f", from {found.groups:,} {model.run.group_name}s" if found.groups < found.n else ""
    return f"{percent(0.95)} interval {percent(found.low)} to {percent(found.high)}{lesions}"


def percent(share: float, places: int = 0) -> str:
    """Write a share in percent; the space before the sign does not break."""
    return f"{100 * share:.{places}f}\N{NO-BREAK SPACE}%"


def unknown(answer: Answer) -> str:
    """What is said of a picture of another kind."""
    return (
        "## Not the kind of image this model knows\n\nThe picture is unlike the images that the network was trained "
        f"on: its score is {answer.unlike:.3g} times the limit that 99 of 100 validation images keep. What the network "
        "would say of it means nothing and is not shown."
    )


def strongest(heat: np.ndarray) -> str:
    """What a map shows, for those who cannot see it."""
    row, column = np.unravel_index(heat.argmax(), heat.shape)
    across, down = (int(3 * (place + 0.5) / side) for place, side in zip((column, row), heat.shape[::-1], strict=True))
    where = f"{('top', 'middle', 'bottom')[down]} {('left', 'centre', 'right')[across]}"
    return f"The picture under a map of the evidence for the answer, which is strongest at the {where}."


def explanation(model: Model, grad_cam: GradCam) -> str:
    """How to read the page."""
    chosen = (
        f"The one with the best balanced accuracy on the {len(model.validation):,} validation images; the test images "
        "had no part in the choice."
    )
    if model.named:
        chosen = f"*{model.title}*, asked for by name."
    if model.compared and model.compared != model.title:
        chosen += f" By the same score, the comparison report chooses *{model.compared}* among all models of the study"
        chosen += (
            "."
            if model.named
            else ", which is not served: only a network that is given nothing but an image, and that has a notebook of "
            "its own, can answer here."
        )
    height, width = grad_cam.places
    single = ", those of an earlier layer, as the last one has a single place at this image size"
    earlier = "" if grad_cam.layer == LAST else single
    return (
        "### How to read this\n\n"
        f"- **Which network.** {chosen}\n"
        "- **Calibrated probability.** Networks are often too sure, or not sure enough. The bars are corrected by one "
        f"number, the temperature ({model.temperature:.2f}), chosen on the validation images; the answer stays the "
        "same.\n"
        "- **Evidence.** Grad-CAM marks places that raised the score of the answer in the upright view. A map has "
        f"only {height} × {width} places{earlier}. One that lies on a hair or on the rim is a warning; one that lies "
        "on the lesion proves nothing.\n"
        "- **Another kind of image.** What the network makes of the picture, its colours and its detail are "
        "compared with training images. That catches what is very different, not every picture that should not be "
        "here.\n"
        "- **Your picture** is deleted as soon as it is answered. Programs ask at `POST /predict`; `GET /model` "
        "describes the network."
    )
