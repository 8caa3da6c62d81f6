"""The sentences of the page."""

from lesionbook.run import DRAWN
from lesionbook.serve.classification import Answer
from lesionbook.serve.evidence import Evidence
from lesionbook.serve.model import Model

INVITATION = "Drop a picture or pick a test image to see what the network says."
ONE_PLACE = (
    "\n\nThe last feature maps of this network have a single place at this image size: it cannot be said where in the "
    "picture the evidence was found."
)
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


def verdict(model: Model, answer: Answer, found: Evidence) -> str:
    """What the answer is worth."""
    names, test = model.run.names, model.test
    name, score = names[answer.label], answer.probabilities[answer.label]
    actual = int((test["label"] == answer.label).sum())
    if found.n:
        told = (
            f"Of the {len(test):,} test images, {found.n:,} were called *{name}* with this score or a higher one, and "
            f"**{found.right:,} of them ({percent(found.right / found.n)}) rightly so** (95 % interval "
            f"{percent(found.low)} to {percent(found.high)}, Wilson)."
        )
    else:
        told = (
            f"No test image was called *{name}* with this score or a higher one: how often that is right is not known."
        )
    return (
        f"## {name}\n\nThe network's score is {percent(score, 2)}; corrected on the validation images (below), "
        f"{percent(answer.calibrated[answer.label], 1)}.\n\n{told} {percent(actual / len(test))} of the test images "
        f"are *{name}*; where it is rarer, fewer such answers are right.\n\n**This is not a diagnosis.**"
    )


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


def explanation(model: Model) -> str:
    """How to read the page."""
    chosen = (
        f"The one with the best balanced accuracy on the {len(model.validation):,} validation images; the test images "
        "had no part in the choice."
    )
    if model.named:
        chosen = f"*{model.title}*, asked for by name."
    if model.compared and model.compared != model.title:
        chosen += f" The comparison report prefers *{model.compared}* among all models of the study"
        chosen += "." if model.named else "; only a network for images alone can be served here."
    return (
        "### How to read this\n\n"
        f"- **Which network.** {chosen}\n"
        "- **Calibrated probability.** Networks are often too sure, or not sure enough. The bars are corrected by one "
        f"number, the temperature ({model.temperature:.2f}), chosen on the validation images; the answer stays the "
        "same.\n"
        "- **Evidence.** Grad-CAM marks places that raised the score of the answer in the upright view. A map that "
        "lies on a hair or on the rim is a warning; one that lies on the lesion proves nothing.\n"
        "- **Another kind of image.** The picture's colours and what the network makes of it are compared with "
        "training images. That catches what is very different, not every picture that should not be here.\n"
        "- **Your picture** is deleted as soon as it is answered. Programs ask at `POST /predict`; `GET /model` "
        "describes the network."
    )
