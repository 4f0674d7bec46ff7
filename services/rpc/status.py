"""StudyErrors on the wire: `google.rpc.Status` out, the same error back in."""

from collections.abc import Mapping
from types import MappingProxyType

import grpc
from google.protobuf import any_pb2, duration_pb2
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from services.domain.errors import (
    ArtifactChangedError,
    BackendUnavailableError,
    DataLossError,
    InvalidInputError,
    NotFoundError,
    PreconditionError,
    QueueFullError,
    RunCancelledError,
    StudyError,
    WorkerDiedError,
)
from services.rpc import limits

DOMAIN = "synthtrial"

CODES: Mapping[type[StudyError], grpc.StatusCode] = MappingProxyType(
    {
        StudyError: grpc.StatusCode.UNKNOWN,
        InvalidInputError: grpc.StatusCode.INVALID_ARGUMENT,
        NotFoundError: grpc.StatusCode.NOT_FOUND,
        PreconditionError: grpc.StatusCode.FAILED_PRECONDITION,
        ArtifactChangedError: grpc.StatusCode.FAILED_PRECONDITION,
        DataLossError: grpc.StatusCode.DATA_LOSS,
        BackendUnavailableError: grpc.StatusCode.UNAVAILABLE,
        QueueFullError: grpc.StatusCode.RESOURCE_EXHAUSTED,
        RunCancelledError: grpc.StatusCode.CANCELLED,
        WorkerDiedError: grpc.StatusCode.ABORTED,
    }
)


class NoAnswerInTimeError(BackendUnavailableError):
    """A call took longer than it may; asking again would take as long."""


def code_of(error: StudyError) -> grpc.StatusCode:
    """Return the status code of an error, by its nearest listed class."""
    return next(CODES[kind] for kind in type(error).__mro__ if kind in CODES)


def to_proto(error: StudyError) -> status_pb2.Status:
    """Return an error as a message, for calls and for the state of a training run."""
    message = _shorten(error.message, limits.MESSAGE_BYTES_IN_ERROR)
    status = status_pb2.Status(code=code_of(error).value[0], message=message)
    metadata = dict(list(error.metadata.items())[: limits.METADATA_ENTRIES])
    _attach(
        status,
        error_details_pb2.ErrorInfo(
            reason=error.reason,
            domain=DOMAIN,
            metadata={key: _shorten(str(value), limits.METADATA_BYTES) for key, value in metadata.items()},
        ),
    )
    if isinstance(error, InvalidInputError) and error.field:
        violation = error_details_pb2.BadRequest.FieldViolation(
            field=error.field, description=_shorten(message, limits.METADATA_BYTES)
        )
        _attach(status, error_details_pb2.BadRequest(field_violations=[violation]))
    if isinstance(error, QueueFullError):
        delay = duration_pb2.Duration()
        delay.FromMilliseconds(int(limits.RETRY_AFTER_SECONDS * 1000))
        _attach(status, error_details_pb2.RetryInfo(retry_delay=delay))
    return status


def from_proto(status: status_pb2.Status) -> StudyError:
    """Return the error that a message stands for."""
    info = _error_info(status)
    if info is None or info.domain != DOMAIN:
        return _by_code(status.code)(status.message)
    kinds = {kind.reason: kind for kind in CODES}
    return kinds.get(info.reason, StudyError)(status.message, **dict(info.metadata))


def from_call(error: grpc.RpcError, address: str, service: str = "") -> StudyError:
    """Return the error behind a failed call.

    Args:
        error: What the stub raised.
        address: Where the call went, for the message of an unreachable service.
        service: Which service was called, "generator" for one, for the same message; "" where it is not known.
    """
    if not isinstance(error, grpc.Call):
        return StudyError(f"the call to {address} failed: {error}", address=address)
    status = rpc_status.from_call(error)
    if status is not None:
        return from_proto(status)
    return _transport_error(error.code(), error.details() or "", address, service)


def _transport_error(code: grpc.StatusCode, details: str, address: str, service: str) -> StudyError:
    if code is grpc.StatusCode.UNAVAILABLE:
        alone = f" or `python -m services.{service}`" if service else ""
        return BackendUnavailableError(
            f"no service answers at {address} ({_shorten(details, 200)}); start it with `make up`{alone}, "
            "or give another address",
            address=address,
        )
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return NoAnswerInTimeError(f"{address} did not answer in time", address=address)
    if code is grpc.StatusCode.RESOURCE_EXHAUSTED and "larger than max" in details:
        return InvalidInputError(
            f"{address}: a message holds at most {limits.MESSAGE_BYTES // limits.MEBIBYTE} MiB ({_shorten(details, 200)}); "
            "store or upload large corpora (`upload_artifact`) and name the artifacts, or ask for less at a time",
            field="request",
            address=address,
        )
    if code is grpc.StatusCode.UNIMPLEMENTED:
        return PreconditionError(
            f"{address} does not know this call: another service, or another release of it", address=address
        )
    return _by_code(code.value[0])(f"{address}: {details or code.name}", address=address)


def _by_code(code: int) -> type[StudyError]:
    for kind, known in CODES.items():
        if known.value[0] == code:
            return kind
    return StudyError


def _error_info(status: status_pb2.Status) -> error_details_pb2.ErrorInfo | None:
    for detail in status.details:
        info = error_details_pb2.ErrorInfo()
        if detail.Unpack(info):
            return info
    return None


def _attach(
    status: status_pb2.Status,
    detail: error_details_pb2.ErrorInfo | error_details_pb2.BadRequest | error_details_pb2.RetryInfo,
) -> None:
    packed = any_pb2.Any()
    packed.Pack(detail)
    status.details.append(packed)


def _shorten(text: str, limit: int) -> str:
    data = text.encode()
    return text if len(data) <= limit else data[:limit].decode(errors="ignore") + "…"
