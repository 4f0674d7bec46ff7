"""Errors a user can act on.

StudyError
  InvalidInputError        the request is wrong, whatever the state of the world
  NotFoundError            a name that nothing answers to
  PreconditionError        the request is fine, the state it meets is not
    ArtifactChangedError   the bytes are not the ones the reference promised
  DataLossError            a stored object no longer matches its own name
  BackendUnavailableError  something we depend on does not answer
  QueueFullError           too much work is waiting
  RunCancelledError        somebody asked for the work to stop
  WorkerDiedError          a worker process ended in the middle of a job
"""

from typing import ClassVar


class StudyError(Exception):
    """Says what was wrong, what was found and what would do.

    Args:
        message: One sentence for a person.
        metadata: The parts of the message that vary, for a program.
    """

    reason: ClassVar[str] = "STUDY_ERROR"

    def __init__(self, message: str, **metadata: str) -> None:
        super().__init__(message)
        self.message = message
        self.metadata = metadata

    def __reduce__(self) -> tuple[object, ...]:
        # Keyword arguments are lost by the default, and errors cross process boundaries.
        return _rebuild, (type(self), self.message, self.metadata)


class InvalidInputError(StudyError):
    """The request is wrong; `field` names the part to change."""

    reason = "INVALID_INPUT"

    @property
    def field(self) -> str:
        return self.metadata.get("field", "")


class NotFoundError(StudyError):
    """Nothing answers to this name; the message lists what exists."""

    reason = "NOT_FOUND"


class PreconditionError(StudyError):
    """The request is well formed, but the data it meets do not allow it."""

    reason = "PRECONDITION"


class ArtifactChangedError(PreconditionError):
    """A file is not what the caller's reference says."""

    reason = "ARTIFACT_CHANGED"


class DataLossError(StudyError):
    """A stored object no longer matches its own name."""

    reason = "DATA_LOSS"


class BackendUnavailableError(StudyError):
    """Something this service depends on does not answer; trying again may help."""

    reason = "BACKEND_UNAVAILABLE"


class QueueFullError(StudyError):
    """Too much work is waiting; trying again later will help."""

    reason = "QUEUE_FULL"


class RunCancelledError(StudyError):
    """Somebody asked for the work to stop."""

    reason = "CANCELLED"


class WorkerDiedError(StudyError):
    """A worker process ended in the middle of a job, killed or out of memory."""

    reason = "WORKER_DIED"


def _rebuild(kind: type[StudyError], message: str, metadata: dict[str, str]) -> StudyError:
    return kind(message, **metadata)
