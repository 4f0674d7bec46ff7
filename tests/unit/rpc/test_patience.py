"""Calls that outlive their service."""

from collections.abc import Iterator
from typing import Any

import pytest

from services.domain.errors import BackendUnavailableError, InvalidInputError
from services.rpc import patience
from services.rpc.patience import Patience, last_answer, patiently
from services.rpc.status import NoAnswerInTimeError
from synthtrial.evaluator.v1 import evaluator_pb2
from synthtrial.study.v1 import measurement_pb2

AWAY = BackendUnavailableError("away")
Embedding = evaluator_pb2.EmbedResponse


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(patience, "time", clock)
    monkeypatch.setattr(patience, "_answered", set())
    return clock


def failing(clock: Clock, seconds: float, answer: str = "answer") -> Any:
    """Return a call to a service that is away for some seconds from now on."""
    back = clock.now + seconds

    def call() -> str:
        if clock.now < back:
            raise AWAY
        return answer

    return call


def test_a_restart_is_waited_for(clock: Clock) -> None:
    assert patiently(failing(clock, 5), "here") == "answer"
    assert 5 <= clock.now - 1000 < 7


def test_a_service_that_never_answered_is_given_up_sooner(clock: Clock) -> None:
    with pytest.raises(BackendUnavailableError, match="away"):
        patiently(failing(clock, 50), "here")
    assert clock.now - 1000 < 15
    patiently(failing(clock, 0), "here")
    assert patiently(failing(clock, 50), "here") == "answer"
    with pytest.raises(BackendUnavailableError):
        patiently(failing(clock, 500), "here")


@pytest.mark.parametrize("error", [NoAnswerInTimeError("slow"), InvalidInputError("no")])
def test_what_would_fail_again_is_not_repeated(clock: Clock, error: Exception) -> None:
    calls = []

    def call() -> None:
        calls.append(1)
        raise error

    with pytest.raises(type(error)):
        patiently(call, "here")
    assert len(calls) == 1


def test_the_wait_starts_afresh_when_the_work_got_on(clock: Clock) -> None:
    waiting = Patience("here")
    for _ in range(3):
        waiting.renew()
        for _ in range(50):
            waiting.wait(AWAY)


class Stream:
    """A method whose first attempts break after some progress."""

    def __init__(self, *attempts: list[int]) -> None:
        self.attempts = iter(attempts)

    def __call__(self, request: object, timeout: float | None = None) -> "Stream":
        self.steps = next(self.attempts, [])
        return self

    def __iter__(self) -> Iterator[Embedding]:
        return self._messages()

    def __next__(self) -> Embedding:
        raise NotImplementedError

    def _messages(self) -> Iterator[Embedding]:
        for step in self.steps:
            if step < 0:
                raise AWAY
            yield Embedding(progress=measurement_pb2.Progress(done_count=step))
        yield Embedding(encoder_revision="minilm")

    def cancel(self) -> bool:
        return True


def test_a_broken_stream_is_asked_for_again(clock: Clock) -> None:
    seen: list[int] = []
    method = Stream([1, 2, -1], [2, 3])
    last = last_answer(method, None, "here", lambda step: seen.append(step.done_count))
    assert last.encoder_revision == "minilm"
    assert seen == [1, 2, 2, 3]


def test_a_stream_that_breaks_at_the_same_place_is_given_up() -> None:
    with pytest.raises(BackendUnavailableError):
        last_answer(Stream(*[[1, -1]] * 100), None, "here", lambda step: None)
