"""What of the page's library stands open.

Gradio answers more than its page asks. Told the name of a file or an address, it fetches it (where it is mounted in
another application, it does not check that the file was uploaded); told the number of a function that there is not, or
a name of thousands of letters, it fails. Only what the page itself sends is let through.
"""

import json
import re
from collections.abc import Container

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lesionbook.serve.limits import SAFE, RefusedError
from lesionbook.serve.temporary import Temporary

LOOK = re.compile(
    r"/(theme\.css|(assets|static)/[\w./-]{1,200}|gradio_api/(file=[^\0]{1,1000}|queue/data|upload_progress))?"
)
UPLOAD, ASK = "/gradio_api/upload", "/gradio_api/queue/join"
LONGEST = 64 * 2**10  # bytes of a question; the picture has been uploaded before


class Doors:
    """Stands before the page.

    Parameters
    ----------
    app : ASGI application
        The page's library.
    functions : container of int
        Numbers of the functions that the page may ask for.
    temporary : Temporary
        Where uploaded files lie; only these may be asked about.
    """

    def __init__(self, app: ASGIApp, functions: Container[int], temporary: Temporary) -> None:
        self.app, self.functions, self.temporary = app, functions, temporary

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] == "http":
            path, looks = scope["path"].removeprefix(scope.get("root_path", "")), scope["method"] in SAFE
            if path == ASK and not looks:
                receive = await self._checked(receive)
            elif not (LOOK.fullmatch(path) if looks else path == UPLOAD):
                raise RefusedError(
                    404, "There is nothing to ask here; the page is for a browser, /predict for programs."
                )
        await self.app(scope, receive, send)

    async def _checked(self, receive: Receive) -> Receive:
        """Read a question, refuse it if the page would not ask it, else give it once more."""
        content, more = b"", True
        while more:
            message = await receive()
            content, more = content + message.get("body", b""), message.get("more_body", False)
            if len(content) > LONGEST:
                raise RefusedError(413, f"A question has {LONGEST:,} bytes at most.")
        if not self.is_the_pages(content):
            raise RefusedError(422, "This is no question of the page; programs ask at /predict.")
        messages = [{"type": "http.request", "body": content, "more_body": False}]

        async def again() -> Message:
            return messages.pop() if messages else await receive()

        return again

    def is_the_pages(self, content: bytes) -> bool:
        """Tell whether the page could have sent this: a function of it, about no file or one that was uploaded."""
        try:
            asked = json.loads(content)
            function, session, about = asked["fn_index"], asked["session_hash"], asked["data"]
            event = asked.get("event_data") or {"index": 0}
            whole = type(function) is type(event["index"]) is int and isinstance(session, str)
            known = about == [] or (len(about) == 1 and self.temporary.path(about[0]) is not None)
            return whole and known and function in self.functions
        except (AttributeError, KeyError, TypeError, ValueError, RecursionError):
            return False
