"""What the client does when its service goes away."""

from collections.abc import Iterator
from typing import Any

import pytest

from services.domain.errors import BackendUnavailableError
from services.domain.task import Task, TaskType
from services.generator import client
from services.generator.client import GeneratorClient
from services.generator.planning import GenerationSpec
from services.rpc import patience
from synthtrial.generator.v1 import generator_pb2

TASK = Task(TaskType.MULTI_LABEL, ("a",))
SPEC = GenerationSpec("g", "simulator", {}, "label_conditioned", 1, TASK, None, "given", (("a",),))


def test_a_broken_stream_goes_on_at_the_next_index(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []

    def breaking(method: object, request: Any, address: str) -> Iterator[generator_pb2.GenerateResponse]:
        asked.append((request.start_index, request.count))
        for index in range(request.start_index, request.start_index + request.count):
            if index == 4 and len(asked) < 4:
                raise BackendUnavailableError("killed")
            yield generator_pb2.GenerateResponse(index=index, failure=generator_pb2.Failure(reason="none"))

    monkeypatch.setattr(client, "invoke_stream", breaking)
    monkeypatch.setattr(patience, "RETRY_SECONDS", 0.0)
    outcomes = list(GeneratorClient("127.0.0.1:1").generate(SPEC, start=2, count=6))
    assert [outcome.index for outcome in outcomes] == [2, 3, 4, 5, 6, 7]
    assert asked == [(2, 6), (4, 4), (4, 4), (4, 4)]
