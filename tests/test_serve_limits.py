import asyncio

import pytest
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from lesionbook.serve.limits import Gate, Guard, Limits, RefusedError


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def passes(gate, address="a"):
    with gate.admitted(address):
        pass


def test_an_address_has_so_many_requests_a_minute_and_gets_them_back_with_time():
    clock = Clock()
    gate = Gate(Limits(per_minute=3), clock)
    for _ in range(3):
        passes(gate)
    with pytest.raises(RefusedError) as caught:
        passes(gate)
    assert caught.value.status_code == 429 and caught.value.headers == {"retry-after": "60"}
    passes(gate, "b")
    clock.now = 19
    with pytest.raises(RefusedError):
        passes(gate)
    clock.now = 21
    passes(gate)
    clock.now = 1000
    for _ in range(3):
        passes(gate)
    with pytest.raises(RefusedError):
        passes(gate)


def test_so_many_are_under_way_at_once():
    gate = Gate(Limits(at_once=2))
    with gate.admitted("a"), gate.admitted("b"):
        with pytest.raises(RefusedError) as caught:
            passes(gate, "c")
        assert caught.value.status_code == 503
    passes(gate, "c")
    assert gate.under_way == 0


def test_who_fails_is_out_again():
    gate = Gate(Limits(at_once=1))
    with pytest.raises(ZeroDivisionError), gate.admitted("a"):
        1 / 0  # noqa: B018
    passes(gate)


def test_addresses_are_forgotten_rather_than_piled_up():
    gate = Gate(Limits())
    for number in range(1100):
        passes(gate, str(number))
    assert len(gate._buckets) == 1000


async def length(scope, receive, send):
    """Answer with the number of bytes that came."""
    read, more = 0, True
    while more:
        message = await receive()
        read, more = read + len(message.get("body", b"")), message.get("more_body", False)
    await PlainTextResponse(str(read))(scope, receive, send)


def client(**options):
    return TestClient(Guard(length, gate=Gate(Limits(**options))), base_url="http://127.0.0.1:8000")


def test_a_body_is_counted_whether_or_not_it_says_its_length():
    asked = client(request_bytes=1000)
    assert asked.post("/predict", content=b"x" * 1000).text == "1000"
    for content in (b"x" * 1001, (b"x" * 300 for _ in range(4))):
        answer = asked.post("/predict", content=content)
        assert answer.status_code == 413
        assert answer.json() == {
            "detail": "The request is larger than 1,000 bytes in all; send fewer or smaller files."
        }
    lied = asked.post("/predict", content=(b"x" * 300 for _ in range(4)), headers={"content-length": "5"})
    assert lied.status_code == 413


@pytest.mark.parametrize("length_header", ["-5", "9" * 5000, "0x10", "five"])
def test_an_odd_length_is_no_way_around(length_header):
    answer = client(request_bytes=1000).post(
        "/predict", content=(b"x" * 300 for _ in range(4)), headers={"content-length": length_header}
    )
    assert answer.status_code == 413


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"origin": "http://127.0.0.1:8000"}, 200),
        ({"origin": "http://127.0.0.1:9000"}, 403),
        ({"origin": "https://elsewhere.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://[:"}, 403),
        ({"host": "elsewhere.example"}, 403),
        ({"host": "elsewhere.example", "origin": "http://elsewhere.example"}, 403),
        ({"host": "localhost:8000", "origin": "http://localhost:8000"}, 200),
        ({"host": "[::1]:8000"}, 200),
        ({"host": "[::1"}, 403),
        ({"host": ""}, 403),
    ],
)
def test_pages_of_other_sites_are_refused(headers, status):
    assert client().post("/predict", headers=headers).status_code == status
    assert client().get("/model", headers=headers).status_code == status


def body(messages, pause):
    """A request's messages, each after a pause, and then nothing any more."""
    left = iter(messages)

    async def receive():
        message = next(left, None)
        await asyncio.sleep(pause if message else 60)
        return message

    return receive


def asked(receive, **options):
    """Status and body of the answer to a request, and how many are still under way."""
    gate, sent = Gate(Limits(**options)), []
    scope = {"type": "http", "method": "POST", "path": "/predict", "headers": [(b"host", b"localhost")]}

    async def send(message):
        sent.append(message)

    asyncio.run(Guard(length, gate=gate)(scope, receive, send))
    return sent[0]["status"], sent[1]["body"].decode(), gate.under_way


def test_a_body_that_does_not_come_is_not_waited_for():
    part = {"type": "http.request", "body": b"x", "more_body": True}
    status, said, under_way = asked(body([part] * 100, 0.02), seconds=0.2)
    assert (status, under_way) == (408, 0)
    assert "The request did not come within 0.2 seconds; send it again." in said
    last = {"type": "http.request", "body": b"x", "more_body": False}
    assert asked(body([part, last], 0.02), seconds=5) == (200, "2", 0)


def test_an_answer_may_take_longer_than_its_question():
    async def slow(scope, receive, send):
        await receive()
        await asyncio.sleep(0.3)
        assert (await receive())["type"] == "http.disconnect"
        await PlainTextResponse("late")(scope, receive, send)

    gate, sent = Gate(Limits(seconds=0.1)), []
    messages = [{"type": "http.request", "body": b"x", "more_body": False}, {"type": "http.disconnect"}]

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/predict", "headers": [(b"host", b"localhost")]}
    asyncio.run(Guard(slow, gate=gate)(scope, body(messages, 0.0), send))
    assert sent[0]["status"] == 200


def test_what_asks_for_nothing_is_not_counted():
    asked = client(per_minute=1)
    assert [asked.get("/health").status_code for _ in range(5)] == [200] * 5
    assert [asked.post("/predict").status_code for _ in range(2)] == [200, 429]


def test_the_slots_are_free_again_when_a_client_goes_away():
    gate = Gate(Limits(at_once=1))

    async def gone(scope, receive, send):
        raise asyncio.CancelledError

    async def asked():
        scope = {"type": "http", "method": "POST", "path": "/predict", "headers": [(b"host", b"localhost")]}
        with pytest.raises(asyncio.CancelledError):
            await Guard(gone, gate=gate)(scope, None, None)

    asyncio.run(asked())
    assert gate.under_way == 0
