"""What is taken from outside, and how much of it at once."""

import threading
import time
from asyncio import wait_for
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

ADDRESSES = 1000  # remembered at a time
SAFE = ("GET", "HEAD", "OPTIONS")  # methods that ask for nothing to be computed
HOSTS = ("127.0.0.1", "localhost", "::1")  # names of this machine; a page elsewhere may have its own name point here
WAIT = {429: "60", 503: "1"}  # seconds


@dataclass(frozen=True)
class Limits:
    """Everything that is refused by its size or number.

    Attributes
    ----------
    file_bytes : int
        Bytes of an image file.
    pixels : int
        Pixels of an image, read from its header before anything is decoded.
    scans : int
        Scans of a JPEG, each of which goes over all its pixels; a progressive one has about ten.
    files : int
        Files in a request.
    request_bytes : int
        Bytes of the body of a request.
    seconds : float
        From the first to the last byte of the body of a request; what takes longer is answered 408.
    at_once : int
        Requests under way; more are answered 503.
    per_minute : int
        Requests from one address that ask for something to be computed, over a minute; more are answered 429.
    """

    file_bytes: int = 10 * 2**20
    pixels: int = 40_000_000
    scans: int = 100
    files: int = 16
    request_bytes: int = 32 * 2**20
    seconds: float = 60.0
    at_once: int = 64
    per_minute: int = 1200


class RefusedError(HTTPException):
    """A request that is not answered: status, and one sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(status, sentence, {"retry-after": WAIT[status]} if status in WAIT else None)

    @property
    def response(self) -> JSONResponse:
        """The refusal as JSON."""
        return JSONResponse({"detail": self.detail}, self.status_code, self.headers)


class Gate:
    """Counts requests: those under way, and those of each address in the last minute (a bucket that refills)."""

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self.limits, self.clock = limits, clock
        self.under_way = 0
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    @contextmanager
    def admitted(self, address: str) -> Iterator[None]:
        """Let a request in and out again.

        Raises
        ------
        RefusedError
            If there are too many.
        """
        with self._lock:
            if self.under_way >= self.limits.at_once:
                raise RefusedError(503, f"{self.limits.at_once} requests are under way already; ask again in a second.")
            self._take(address)
            self.under_way += 1
        try:
            yield
        finally:
            with self._lock:
                self.under_way -= 1

    def _take(self, address: str) -> None:
        now, most = self.clock(), float(self.limits.per_minute)
        left, then = self._buckets.pop(address, (most, now))
        left = min(most, left + (now - then) * most / 60)
        self._buckets[address] = (max(left - 1, 0.0) if left >= 1 else left, now)
        if len(self._buckets) > ADDRESSES:
            self._buckets.popitem(last=False)
        if left < 1:
            raise RefusedError(
                429, f"More than {self.limits.per_minute} requests came from here within a minute; wait one."
            )


class Guard:
    """Stands before everything else: refuses pages of other sites, bodies that are too large, and too many requests."""

    def __init__(self, app: ASGIApp, *, gate: Gate) -> None:
        self.app, self.gate, self.limits = app, gate, gate.limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request or pass it on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def sent(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            _check_origin(Headers(scope=scope))
            if scope["method"] in SAFE:
                await self.app(scope, receive, send)
                return
            with self.gate.admitted((scope.get("client") or ("",))[0]):
                await self.app(scope, self._counted(scope, receive), sent)
        except RefusedError as error:
            if not started:
                await error.response(scope, receive, send)

    def _counted(self, scope: Scope, receive: Receive) -> Receive:
        most, length, read = self.limits.request_bytes, Headers(scope=scope).get("content-length", "0"), 0
        refusal = RefusedError(413, f"The request is larger than {most:,} bytes in all; send fewer or smaller files.")
        if length.isdecimal() and int(length[:20]) > most:
            raise refusal

        until, complete = time.monotonic() + self.limits.seconds, False

        async def counted() -> Message:
            nonlocal read, complete
            try:
                message = await (receive() if complete else wait_for(receive(), until - time.monotonic()))
            except TimeoutError as error:
                raise RefusedError(
                    408, f"The request did not come within {self.limits.seconds:g} seconds; send it again."
                ) from error
            complete = not message.get("more_body", False)
            read += len(message.get("body", b""))
            if read > most:
                raise refusal
            return message

        return counted


def _check_origin(headers: Headers) -> None:
    """Refuse what a page of another site asks for: a browser names the site, and the host that it was told."""
    try:
        host = urlsplit(f"//{headers.get('host', '')}")
        origin = urlsplit(headers.get("origin", f"http://{host.netloc}"))
        allowed = host.hostname in HOSTS and origin.netloc == host.netloc
    except ValueError:
        allowed = False
    if not allowed:
        raise RefusedError(403, "Only programs on this machine and this server's own page may ask it.")
