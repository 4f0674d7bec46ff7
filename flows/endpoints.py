"""Where the services are, and the clients that reach them."""

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from flows.design import Profile
from services.classifier.client import ClassifierClient
from services.evaluator.client import EvaluatorClient
from services.generator.client import GeneratorClient
from services.retrieval.client import RetrievalClient
from services.rpc.server import in_process

IN_PROCESS = "inproc"
SERVICES = ("generator", "classifier", "evaluator", "retrieval")


@dataclass(frozen=True)
class Clients:
    """One client per service."""

    generator: GeneratorClient
    classifier: ClassifierClient
    evaluator: EvaluatorClient
    retrieval: RetrievalClient


def addresses(profile: Profile, environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return every service's address; `SYNTHTRIAL_<SERVICE>` overrides the profile's."""
    return {
        name: environment.get(f"SYNTHTRIAL_{name.upper()}") or profile.services.get(name, IN_PROCESS)  # type: ignore[call-overload]
        for name in SERVICES
    }


@contextmanager
def running(addresses: Mapping[str, str], store_root: Path, threads: int = 0) -> Iterator[dict[str, str]]:
    """Start the services that are to run in this process, and yield addresses that all answer.

    Args:
        addresses: By service; `inproc` starts the real server on a private socket.
        store_root: The folder of the store that the services share.
        threads: CPU threads to share; 0 takes the machine's.
    """
    budget = threads or len(os.sched_getaffinity(0))
    with ExitStack() as stack:
        found = {}
        for name, address in addresses.items():
            if address == IN_PROCESS:
                register = import_module(f"services.{name}.service").register
                # Single-threaded workers side by side: numbers never depend on a thread count.
                address = stack.enter_context(in_process(register, store_root, threads=1, workers=budget))
            found[name] = address
        yield found


def connect(addresses: Mapping[str, str]) -> Clients:
    """Return clients for running services."""
    return Clients(
        GeneratorClient(addresses["generator"]),
        ClassifierClient(addresses["classifier"]),
        EvaluatorClient(addresses["evaluator"]),
        RetrievalClient(addresses["retrieval"]),
    )
