"""The page: drop a picture, see what the network says, how sure it may be, and where it found its evidence."""

import base64
import io
import os
from concurrent.futures import TimeoutError as Late
from pathlib import Path

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # read when Gradio is imported
import gradio as gr
from fastapi import FastAPI
from fastapi.responses import RedirectResponse, Response
from matplotlib.figure import Figure

from lesionbook.errors import LesionbookError
from lesionbook.figures import prediction as figures
from lesionbook.serve import samples, text
from lesionbook.serve.classification import Classifier
from lesionbook.serve.doors import Doors
from lesionbook.serve.temporary import Temporary

PAGE = "/page"
SHOWN = 384  # pixels of the picture's side on the page
PATIENCE = 60  # seconds
FONTS = ["system-ui", "sans-serif"], ["ui-monospace", "monospace"]  # of the reader's machine: nothing is loaded
# Screen readers say a new answer aloud.
SPOKEN = "() => {document.getElementById('verdict').setAttribute('aria-live', 'polite')}"
STYLE = """
footer, #file a {display: none !important} /* what was uploaded is gone: there is nothing to load down */
#verdict p {margin: .4em 0}
#picture p {display: flex; flex-wrap: wrap; align-items: start; gap: .5em; margin: 0}
#picture img {flex: 1 1 15em; min-width: 0; max-width: 24em; margin: 0; border-radius: .5em}
#probabilities meter::-webkit-meter-bar, #probabilities meter::-webkit-meter-optimum-value {background: none}
#samples .grid-wrap {min-height: 0; height: auto; max-height: none}
#samples .grid-container {grid-template-columns: repeat(3, minmax(0, 1fr))}
#samples .caption-label {font-size: .75rem; max-width: 100%}
@media (max-width: 900px) {#samples .grid-container {grid-template-columns: repeat(2, minmax(0, 1fr))}}
@media (max-width: 640px) {
  #samples .grid-container {grid-template-columns: none; grid-auto-flow: column; grid-auto-columns: 40%}
  #samples .grid-wrap {overflow-x: auto}
}
"""


def mount(app: FastAPI, classifier: Classifier, temporary: Temporary) -> FastAPI:
    """Put the page under ``/page`` of an application made by `api.create`; ``/`` leads there.

    Nothing of it comes from another machine: the fonts are the reader's own, the scripts come with Gradio, which is
    told neither to count visits nor to keep a history.
    """
    blocks = _blocks(classifier, app, temporary)
    temporary.keep()

    @app.get("/favicon.ico", include_in_schema=False)
    async def icon() -> Response:
        return Response(status_code=204)

    @app.get("/", include_in_schema=False)
    async def page() -> RedirectResponse:
        return RedirectResponse(PAGE + "/")

    gr.mount_gradio_app(
        app,
        blocks,
        PAGE,
        server_name="127.0.0.1",
        footer_links=[],
        run_history=False,
        max_file_size=classifier.limits.file_bytes,
        show_error=False,
        ssr_mode=False,
        mcp_server=False,
        enable_monitoring=False,
        theme=gr.themes.Default(primary_hue="blue", font=FONTS[0], font_mono=FONTS[1]),
        css=STYLE,
    )
    (mounted,) = [route for route in app.routes if getattr(route, "path", "") == PAGE]
    mounted.app = Doors(mounted.app, [number for number, one in blocks.fns.items() if one.fn], temporary)
    return app


def _blocks(classifier: Classifier, app: FastAPI, temporary: Temporary) -> gr.Blocks:
    names = classifier.model.run.names
    tests = samples.choose(classifier.model)

    def result(content: bytes, own: str = "") -> tuple:
        try:
            picture, scores, said = _result(classifier, app, content, own)
        except LesionbookError as error:
            return _nothing(f"## This file cannot be used\n\n{error}")
        label = {names[key]: value for key, value in scores.items()}
        return gr.Markdown(picture, visible=True), gr.Label(label, visible=bool(label)), said

    def uploaded(path: str) -> tuple:
        try:
            return result(Path(path).read_bytes())
        except OSError:
            return _nothing(text.GONE)
        finally:
            temporary.forget(Path(path))

    def picked(event: gr.SelectData) -> tuple:
        one = tests[event.index % len(tests)]
        return result(one.path.read_bytes(), one.image_id)

    with gr.Blocks(title="Lesionbook", analytics_enabled=False) as blocks:
        gr.Markdown(text.heading(classifier.model))
        with gr.Row():
            with gr.Column(scale=2, min_width=320):
                file = gr.File(label="Drop a picture here, or choose one", type="filepath", height=150, elem_id="file")
                gr.Markdown("Or pick a test image. On it stands what it is.", visible=bool(tests))
                gallery = gr.Gallery(
                    [(str(one.path), names[one.label]) for one in tests],
                    label="Test images",
                    show_label=False,
                    columns=3,
                    height="auto",
                    allow_preview=False,
                    interactive=False,
                    visible=bool(tests),
                    buttons=[],
                    elem_id="samples",
                )
            with gr.Column(scale=3, min_width=320):
                verdict = gr.Markdown(text.INVITATION, elem_id="verdict")
                label = gr.Label(
                    label="Calibrated probability", show_heading=False, visible=False, elem_id="probabilities"
                )
                picture = gr.Markdown(visible=False, elem_id="picture")
        gr.Markdown(text.explanation(classifier.model, classifier.grad_cam))
        shown = [picture, label, verdict]
        options = {"outputs": shown, "api_visibility": "private", "concurrency_limit": 2}
        file.upload(uploaded, file, **options)
        file.clear(lambda: _nothing(text.INVITATION), None, **options)
        if tests:
            gallery.select(picked, None, **options)
        blocks.load(fn=None, js=SPOKEN)
    return blocks.queue(max_size=classifier.limits.at_once)


def _result(classifier: Classifier, app: FastAPI, content: bytes, own: str) -> tuple[str, dict[str, float], str]:
    """Picture, calibrated probabilities (none for an unknown kind of picture) and text for the content of a file.

    `own` is the id of a test image: it, and others of its lesion, cannot tell how often answers to others are right.
    """
    image = classifier.decode(content, "The file")
    shown = classifier.decode(content, "The file", SHOWN)
    picture = _drawn(figures.attention(shown), text.PICTURE)
    try:
        answer = app.state.batcher.ask(image).result(PATIENCE)
    except Late as error:
        raise LesionbookError("The network is busy; try again in a minute.") from error
    if not answer.known:
        return picture, {}, text.unknown(answer)
    heat = classifier.attention(image, answer.label)
    test = classifier.model.test
    others = test[~test["group"].isin(test["group"][test["image_id"] == own])]
    said = text.verdict(classifier.model, answer, others)
    if not heat.any():
        return picture, answer.calibrated, said + text.NOWHERE
    return f"{picture} {_drawn(figures.attention(shown, heat), text.strongest(heat))}", answer.calibrated, said


def _drawn(figure: Figure, alt: str) -> str:
    """A figure as Markdown that holds it: nothing is written to a file."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=130)
    return f"![{alt}](data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()})"


def _nothing(said: str) -> tuple:
    """No picture, no probabilities, only a text."""
    return gr.Markdown(visible=False), gr.Label(visible=False), said
