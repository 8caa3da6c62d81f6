"""The page: drop a picture, see what the network says, how sure it may be, and where it found its evidence."""

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
from lesionbook.serve import evidence, samples, text
from lesionbook.serve.classification import Classifier
from lesionbook.serve.limits import PAGE
from lesionbook.serve.temporary import Temporary

SHOWN = 384  # pixels of the picture's side on the page
PATIENCE = 60  # seconds
FONTS = ["system-ui", "sans-serif"], ["ui-monospace", "monospace"]  # of the reader's machine: nothing is loaded
STYLE = """
footer, #file a {display: none !important} /* what was uploaded is gone: there is nothing to load down */
#verdict p {margin: .4em 0}
#samples .grid-wrap {min-height: 0; height: auto; max-height: none}
#samples .grid-container {grid-template-columns: repeat(3, minmax(0, 1fr))}
#samples .caption-label {font-size: .75rem; max-width: 100%}
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

    return gr.mount_gradio_app(
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


def _blocks(classifier: Classifier, app: FastAPI, temporary: Temporary) -> gr.Blocks:
    names = classifier.model.run.names
    own = samples.choose(classifier.model)

    def result(content: bytes) -> tuple:
        try:
            figure, scores, said = _result(classifier, app, content)
        except LesionbookError as error:
            return _nothing(f"## This file cannot be used\n\n{error}")
        label = {names[key]: value for key, value in scores.items()}
        return gr.Plot(figure, visible=True), gr.Label(label, visible=bool(label)), said

    def uploaded(path: str | None) -> tuple:
        if path is None:
            return _nothing(text.INVITATION)
        try:
            return result(Path(path).read_bytes())
        except OSError:
            return _nothing(text.GONE)
        finally:
            temporary.forget(Path(path))

    def picked(event: gr.SelectData) -> tuple:
        return result(own[event.index].path.read_bytes())

    with gr.Blocks(title="Lesionbook", analytics_enabled=False) as blocks:
        gr.Markdown(text.heading(classifier.model))
        with gr.Row():
            with gr.Column(scale=2, min_width=320):
                file = gr.File(label="Drop a picture here, or choose one", type="filepath", height=150, elem_id="file")
                gr.Markdown("Or pick a test image. On it stands what it is.", visible=bool(own))
                gallery = gr.Gallery(
                    [(str(one.path), names[one.label]) for one in own],
                    label="Test images",
                    show_label=False,
                    columns=3,
                    height="auto",
                    allow_preview=False,
                    interactive=False,
                    visible=bool(own),
                    buttons=[],
                    elem_id="samples",
                )
            with gr.Column(scale=3, min_width=320):
                verdict = gr.Markdown(text.INVITATION, elem_id="verdict")
                label = gr.Label(
                    label="Calibrated probability", show_heading=False, visible=False, elem_id="probabilities"
                )
                plot = gr.Plot(label="Picture", show_label=False, format="png", visible=False, elem_id="picture")
        gr.Markdown(text.explanation(classifier.model))
        shown = [plot, label, verdict]
        options = {"outputs": shown, "api_visibility": "private", "concurrency_limit": 2}
        file.upload(uploaded, file, **options)
        file.clear(lambda: _nothing(text.INVITATION), None, **options)
        gallery.select(picked, None, **options)
    return blocks.queue(max_size=classifier.limits.at_once)


def _result(classifier: Classifier, app: FastAPI, content: bytes) -> tuple[Figure, dict[str, float], str]:
    """Figure, calibrated probabilities (none for an unknown kind of picture) and text for the content of a file."""
    image = classifier.decode(content, "The file")
    shown = classifier.decode(content, "The file", SHOWN)
    try:
        answer = app.state.batcher.ask(image).result(PATIENCE)
    except Late as error:
        raise LesionbookError("The network is busy; try again in a minute.") from error
    if not answer.known:
        return figures.attention(shown, None), {}, text.unknown(answer)
    heat = classifier.attention(image, answer.label)
    found_where = heat if heat.size > 1 else None  # of a single place there is nothing to show
    found = evidence.gather(classifier.model.test, answer.label, answer.probabilities[answer.label])
    said = text.verdict(classifier.model, answer, found) + (text.ONE_PLACE if heat.size == 1 else "")
    return figures.attention(shown, found_where), answer.calibrated, said


def _nothing(said: str) -> tuple:
    """No picture, no probabilities, only a text."""
    return gr.Plot(None, visible=False), gr.Label(visible=False), said
