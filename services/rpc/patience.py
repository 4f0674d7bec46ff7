"""Calls that outlive a restart of their service.

Every call of synthtrial but the deletion of an index is repeat-safe: by digest
or by index it answers the same again. So a client may wait for a service that
went away, and ask again.
"""

import os
import time
from collections.abc import Callable
from typing import Any, TypeVar

from services.domain.errors import BackendUnavailableError
from services.rpc import limits
from services.rpc.channel import (
    Request_contra,
    Response_co,
    ServerStream,
    Unary,
    invoke,
    invoke_stream,
)
from services.rpc.status import NoAnswerInTimeError

# A service that was killed is back, and its leases have run out, well within this.
OUTAGE_SECONDS = 60.0
# One that never answered is more likely to be missing than to be starting.
FIRST_CONTACT_SECONDS = 10.0
RETRY_SECONDS = 1.0

T = TypeVar("T")

_answered: set[tuple[int, str]] = set()


class Patience:
    """How long one piece of work waits for its service.

    Args:
        address: The service; one that has answered this process before is waited for longer.
    """

    def __init__(self, address: str) -> None:
        self._key = (os.getpid(), address)
        self._gone_since: float | None = None

    def renew(self) -> None:
        """Note that the service has got on with the work."""
        _answered.add(self._key)
        self._gone_since = None

    def wait(self, error: BackendUnavailableError) -> None:
        """Pause before the next attempt.

        Raises:
            BackendUnavailableError: The error given, where the service has been away for too
                long, or was there and took longer than the call allows.
        """
        now = time.monotonic()
        if self._gone_since is None:
            self._gone_since = now
        longest = OUTAGE_SECONDS if self._key in _answered else FIRST_CONTACT_SECONDS
        if isinstance(error, NoAnswerInTimeError) or now - self._gone_since > longest:
            raise error
        time.sleep(RETRY_SECONDS)


def patiently(call: Callable[[], T], address: str) -> T:
    """Return what a repeat-safe call answers, made again while its service is away.

    Raises:
        StudyError: What the service raised, or `BackendUnavailableError` where it stays away.
    """
    patience = Patience(address)
    while True:
        try:
            answer = call()
        except BackendUnavailableError as error:
            patience.wait(error)
        else:
            patience.renew()
            return answer


def invoke_patiently(
    method: Unary[Request_contra, Response_co],
    request: Request_contra,
    address: str,
    timeout: float = limits.WORK_SECONDS,
) -> Response_co:
    """Make a repeat-safe call with one answer; as `invoke`, but `patiently`."""
    return patiently(lambda: invoke(method, request, address, timeout), address)


def last_answer(
    method: ServerStream[Request_contra, Any],
    request: Request_contra,
    address: str,
    on_progress: Callable[[Any], None],
) -> Any:
    """Return the last message of a repeat-safe stream that sends `progress` before its result.

    Args:
        method: A method of a stub.
        request: Its message.
        address: Where the stub's channel goes.
        on_progress: Called with each Progress message.

    Returns:
        None where the stream ended without a message.

    Raises:
        StudyError: As `patiently`; only further progress starts the wait for the service afresh.
    """
    patience, furthest = Patience(address), -1
    while True:
        last = None
        try:
            for last in invoke_stream(method, request, address):
                if last.HasField("progress"):
                    if last.progress.done_count > furthest:
                        furthest = last.progress.done_count
                        patience.renew()
                    on_progress(last.progress)
            return last
        except BackendUnavailableError as error:
            patience.wait(error)
