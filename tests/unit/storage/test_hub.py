"""A hub out of reach, in every way that one can be: told within seconds, with what would do."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from services.domain.errors import PreconditionError
from services.features.checkpoint_source import checkpoint_folder
from services.features.sentence_encoder import SentenceEncoder
from services.storage import hub
from services.storage.dataset_source import dataset_folder
from services.storage.hub import fetched

COMMIT = "0123456789abcdef0123456789abcdef01234567"
Answer = Callable[[socket.socket], None]


def silent(client: socket.socket) -> None:
    """Take the connection and say nothing, as some firewalls do."""


def rude(client: socket.socket) -> None:
    client.recv(65536)
    client.close()


def saying(status: str, *headers: str) -> Answer:
    def answer(client: socket.socket) -> None:
        client.recv(65536)
        lines = (f"HTTP/1.1 {status}", *headers, "Content-Length: 2", "Connection: close", "", "{}")
        client.sendall("\r\n".join(lines).encode())
        client.close()

    return answer


@pytest.fixture
def reached(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[[Answer], None]]:
    """Put a hub of our own where the network would be."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(hub, "ANSWER_SECONDS", 1.0)
    hub._fetched.cache_clear()
    listening, clients = socket.socket(), list[socket.socket]()

    def at(answer: Answer) -> None:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        monkeypatch.setattr(
            "huggingface_hub.constants.ENDPOINT", f"http://127.0.0.1:{listening.getsockname()[1]}"
        )
        threading.Thread(target=serve, args=(answer,), daemon=True).start()

    def serve(answer: Answer) -> None:
        while True:
            try:
                client, _ = listening.accept()
            except OSError:
                return
            clients.append(client)
            answer(client)

    yield at
    listening.close()
    for client in clients:
        client.close()
    hub._fetched.cache_clear()


CASES: dict[str, tuple[Answer, str]] = {
    "silent": (silent, r"could not be fetched \(.*[Tt]ime.*\); run `hf download nobody/nothing` where"),
    "closed": (
        rude,
        r"could not be fetched \(.*\); run `hf download nobody/nothing` where there is a network",
    ),
    "broken": (saying("503 Busy"), r"could not be fetched \(.*503.*\); run `hf download"),
    "unknown": (
        saying("404 Not Found", "X-Error-Code: RepoNotFound"),
        "the hub has no checkpoint of this name, or keeps it private; check the name, or name a local folder",
    ),
    "gated": (
        saying("403 Forbidden", "X-Error-Code: GatedRepo"),
        "gives it only to those who accepted its terms; accept them there and run `hf auth login`",
    ),
    "no such revision": (
        saying("404 Not Found", "X-Error-Code: RevisionNotFound"),
        "the hub has no revision 'v9' of it; name another one, or name a local folder",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_it_is_told_within_seconds(case: str, reached: Callable[[Answer], None]) -> None:
    answer, says = CASES[case]
    reached(answer)
    started = time.monotonic()
    with pytest.raises(PreconditionError, match=says) as caught:
        fetched("checkpoint", "nobody/nothing", ("*.json",), "encoder", "v9" if "revision" in case else "")
    assert time.monotonic() - started < 20
    assert caught.value.message.startswith("the checkpoint 'nobody/nothing' is not on this machine and ")
    assert caught.value.metadata["field"] == "encoder"


def test_a_refused_connection_is_told_at_once(
    reached: Callable[[Answer], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        monkeypatch.setattr(
            "huggingface_hub.constants.ENDPOINT", f"http://127.0.0.1:{nobody.getsockname()[1]}"
        )
        with pytest.raises(PreconditionError, match=r"could not be fetched \(.*refused\)"):
            checkpoint_folder("nobody/nothing")


def test_checkpoints_and_datasets_say_it_alike(reached: Callable[[Answer], None]) -> None:
    reached(rude)
    with pytest.raises(PreconditionError, match="run `hf download nobody/nothing` where") as caught:
        SentenceEncoder("nobody/nothing").encode(["a wheel"])
    assert caught.value.metadata["field"] == "encoder"
    with pytest.raises(
        PreconditionError, match="run `hf download --repo-type dataset nobody/nothing --revision v1`"
    ) as caught:
        dataset_folder("nobody/nothing", "v1")
    assert caught.value.metadata["field"] == "dataset.parameters.name"


@pytest.mark.parametrize("answer", [silent, rude, saying("503 Busy")])
def test_what_was_fetched_before_is_used_whatever_the_network_does(
    answer: Answer, reached: Callable[[Answer], None], tmp_path: Path
) -> None:
    reached(answer)
    kept = tmp_path / "cache" / "models--somebody--small"
    (kept / "snapshots" / COMMIT).mkdir(parents=True)
    (kept / "snapshots" / COMMIT / "config.json").write_text("{}")
    (kept / "refs").mkdir()
    (kept / "refs" / "main").write_text(COMMIT)
    found = fetched("checkpoint", "somebody/small", ("*.json",), "encoder")
    assert (found / "config.json").is_file()


def test_a_name_is_asked_for_once(reached: Callable[[Answer], None], tmp_path: Path) -> None:
    asked: list[int] = []

    def counted(client: socket.socket) -> None:
        asked.append(1)
        rude(client)

    reached(counted)
    (tmp_path / "cache" / "models--a--b" / "snapshots" / COMMIT).mkdir(parents=True)
    (tmp_path / "cache" / "models--a--b" / "refs").mkdir()
    (tmp_path / "cache" / "models--a--b" / "refs" / "main").write_text(COMMIT)
    fetched("checkpoint", "a/b", (), "encoder")
    first = len(asked)
    assert fetched("checkpoint", "a/b", (), "encoder").name == COMMIT
    assert len(asked) == first > 0
