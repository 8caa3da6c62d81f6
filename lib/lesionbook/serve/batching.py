"""Questions that come together are answered together: a network takes hardly longer for a few images than for one.

One thread asks the network; what comes meanwhile waits and forms the next batch. A batch is held back a little only
while further images are known to be on their way (a request has been let in and its file is being decoded), so that a
single client never waits for others that do not come.
"""

import queue
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Generic, TypeVar

Question, Answer = TypeVar("Question"), TypeVar("Answer")
_END = object()


class Batcher(Generic[Question, Answer]):
    """Collects questions and has them answered in batches, in the order in which they came.

    Parameters
    ----------
    answer : callable
        From a list of questions to as many answers; called by one thread only.
    largest : int
        Questions in a batch at most.
    wait : float
        Seconds that a batch is held back at most, counted from its first question.
    """

    def __init__(
        self, answer: Callable[[list[Question]], list[Answer]], *, largest: int = 32, wait: float = 0.005
    ) -> None:
        self._answer, self._largest, self._wait = answer, largest, wait
        self._waiting: queue.Queue = queue.Queue()
        self._coming = 0
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._work, name="batches", daemon=True)
        self._thread.start()

    @contextmanager
    def coming(self) -> Iterator[None]:
        """Announce a question that is being prepared; leave when it has been asked, or will not be."""
        with self._lock:
            self._coming += 1
        try:
            yield
        finally:
            with self._lock:
                self._coming -= 1

    def ask(self, question: Question) -> "Future[Answer]":
        """Hand a question over; what `answer` raises, the future raises."""
        future: Future[Answer] = Future()
        self._waiting.put((question, future))
        return future

    def close(self) -> None:
        """Answer what was asked, and end the thread."""
        self._waiting.put(_END)
        self._thread.join()

    def _work(self) -> None:
        while (first := self._waiting.get()) is not _END:
            batch = self._collected(first)
            ended = batch[-1] is _END
            asked = [one for one in batch if one is not _END and one[1].set_running_or_notify_cancel()]
            if asked:
                self._settle([question for question, _ in asked], [future for _, future in asked])
            if ended:
                return

    def _settle(self, questions: list[Question], futures: list[Future]) -> None:
        try:
            for future, answer in zip(futures, self._answer(questions), strict=True):
                future.set_result(answer)
        except Exception as error:
            for future in futures:
                if not future.done():
                    future.set_exception(error)

    def _collected(self, first: object) -> list:
        batch, until = [first], time.monotonic() + self._wait
        while len(batch) < self._largest and batch[-1] is not _END:
            left = until - time.monotonic()
            try:
                if self._coming and left > 0:
                    # looks up again soon: what was coming may have been refused
                    batch.append(self._waiting.get(timeout=min(left, 0.001)))
                else:
                    batch.append(self._waiting.get_nowait())
            except queue.Empty:
                if not self._coming or left <= 0:
                    break
        return batch
