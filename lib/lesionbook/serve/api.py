"""What programs ask: ``POST /predict``, ``GET /health`` and ``GET /model``, described at ``/openapi.json``."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from anyio import CapacityLimiter, to_thread
from fastapi import FastAPI, File, Request, UploadFile
from fastapi.exceptions import RequestValidationError
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from lesionbook.errors import LesionbookError
from lesionbook.serve import untrusted
from lesionbook.serve.batching import Batcher
from lesionbook.serve.classification import Answer, Classifier, shortened
from lesionbook.serve.limits import Gate, Guard, RefusedError
from lesionbook.serve.model import card

DECODERS = 2  # files decoded at once: each may take some hundred megabytes
DESCRIPTION = (
    "Classifies images with the network of a study. A teaching tool, not a diagnosis. An image of the test split is "
    "given exactly the probabilities of the report's prediction file. Nothing that is sent is kept."
)


class Prediction(BaseModel):
    """What the network says of an image."""

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)

    label: Annotated[str, Field(alias="class", description="key of the most probable class")]
    confidence: Annotated[float, Field(ge=0, le=100, description="its probability in percent, two places")]
    probabilities: Annotated[dict[str, float], Field(description="by class, six decimals")]
    calibrated: Annotated[
        dict[str, float], Field(description="the same after temperature scaling on validation images")
    ]
    known: Annotated[bool, Field(description="whether the picture is of the kind that the network was trained on")]
    unlike: Annotated[float, Field(ge=0, description="how unlike training images it is; above 1 it is not known")]
    model: Annotated[str, Field(description="version of the network")]


class Health(BaseModel):
    """Whether it answers, and with what."""

    status: str
    model: str


class Problem(BaseModel):
    """Why a request is not answered."""

    detail: str


REFUSALS: dict[int | str, dict[str, Any]] = {
    400: {"model": Problem, "description": "The request cannot be read."},
    403: {"model": Problem, "description": "It comes from a page of another site."},
    408: {"model": Problem, "description": "It takes too long to come."},
    413: {"model": Problem, "description": "The request or a file has too many bytes."},
    422: {
        "model": Problem,
        "description": "A file is no image, of too many pixels, cut off or damaged, or there are none or too many.",
    },
    429: {"model": Problem, "description": "Too many requests within a minute."},
    503: {"model": Problem, "description": "Too many requests at once."},
}


def create(classifier: Classifier) -> FastAPI:
    """Make the application around a classifier.

    Parameters
    ----------
    classifier : Classifier
        Whose `limits` hold.

    Returns
    -------
    FastAPI
        With ``state.batcher``, which answers images, for the page.
    """
    limits = classifier.limits
    batcher: Batcher = Batcher(classifier.answer)
    facts, version = card(classifier.model), classifier.model.version

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        batcher.close()

    # The pages that FastAPI draws of its description load their scripts from the network.
    app = FastAPI(
        title="Lesionbook", version=version, description=DESCRIPTION, docs_url=None, redoc_url=None, lifespan=lifespan
    )
    app.state.batcher = batcher
    app.add_middleware(Guard, gate=Gate(limits))
    app.add_middleware(CORSMiddleware)  # allows no other origin; Gradio then adds no rules of its own
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    decoders = CapacityLimiter(DECODERS)

    async def predicted(file: UploadFile) -> Prediction:
        name = shortened(file.filename or "")
        try:
            untrusted.check_size(name, file.size or 0, limits)
        except LesionbookError as error:
            raise RefusedError(413, str(error)) from error
        with batcher.coming():
            try:
                image = await to_thread.run_sync(classifier.decode, await file.read(), name, limiter=decoders)
            except LesionbookError as error:
                raise RefusedError(422, str(error)) from error
            except MemoryError as error:
                raise RefusedError(503, f"There is not enough memory to decode {name} now; try again.") from error
            future = batcher.ask(image)
        return prediction(await asyncio.wrap_future(future), version)

    @app.post("/predict", responses=REFUSALS, summary="Classify one image, or several in one request")
    async def predict(
        file: Annotated[
            list[UploadFile],
            File(
                min_length=1,
                description="one image file or several, all under this name",
                json_schema_extra={"maxItems": limits.files},
            ),
        ],
    ) -> Prediction | list[Prediction]:
        """Answer an image with an object, several images with a list in their order; one bad file refuses them all."""
        if len(file) > limits.files:
            raise RefusedError(422, f"The request holds {len(file)} files, the limit is {limits.files}; send fewer.")
        found = await asyncio.gather(*(predicted(one) for one in file))
        return found[0] if len(found) == 1 else found

    @app.get("/health", summary="Tell whether it answers")
    async def health() -> Health:
        """Name the network that answers."""
        return Health(status="ok", model=version)

    @app.get("/model", summary="Describe the network")
    async def model() -> dict[str, Any]:
        """Give the model card: what the network is, how it was chosen, how good it was on the test images."""
        return facts

    return app


def prediction(answer: Answer, version: str) -> Prediction:
    """Put an answer into the words of the API."""
    return Prediction(
        label=answer.label,
        confidence=round(100 * answer.probabilities[answer.label], 2),
        probabilities=answer.probabilities,
        calibrated=answer.calibrated,
        known=answer.known,
        unlike=answer.unlike,
        model=version,
    )


async def _refused(_: Request, error: HTTPException) -> JSONResponse:
    return JSONResponse({"detail": str(error.detail)}, error.status_code, error.headers)


async def _invalid(_: Request, error: RequestValidationError) -> JSONResponse:
    where = ".".join(str(part) for part in error.errors()[0]["loc"][1:])
    return JSONResponse(
        {"detail": f"{where or 'the body'}: send one image file or several as a form under 'file'."}, 422
    )
