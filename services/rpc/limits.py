"""Numbers and transport options that every channel and server share.

Keepalive goes with `ping_timeout_ms` on both sides: `keepalive_timeout_ms`
alone notices a frozen peer after a minute at best. Deadlines are set on each
call, never in the service config, where grpcio fires them a second or two early.
"""

import json

MEBIBYTE = 1 << 20
MESSAGE_BYTES = 4 * MEBIBYTE
CHUNK_BYTES = MEBIBYTE
# Held in memory until its digest is known to be right.
UPLOAD_BYTES = 512 * MEBIBYTE

CALLS_IN_FLIGHT = 128
JOBS_WAITING = 128
RETRY_AFTER_SECONDS = 1.0

GRACE_SECONDS = 10.0
CALL_SECONDS = 60.0
WORK_SECONDS = 6 * 3600.0

# Metadata above 8 KiB replaces the error by one about metadata, so an error has to fit.
MESSAGE_BYTES_IN_ERROR = 1000
METADATA_ENTRIES = 8
METADATA_BYTES = 160

Options = tuple[tuple[str, int | str], ...]

SERVER_OPTIONS: Options = (
    # Without it a second server shares the port in silence.
    ("grpc.so_reuseport", 0),
    ("grpc.max_receive_message_length", MESSAGE_BYTES),
    ("grpc.max_send_message_length", MESSAGE_BYTES),
    ("grpc.max_concurrent_streams", 200),
    ("grpc.max_connection_idle_ms", 300_000),
    ("grpc.max_connection_age_ms", 300_000),
    # The longest stream is a training watch; clients reconnect to it when cut.
    ("grpc.max_connection_age_grace_ms", 3_600_000),
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.http2.ping_timeout_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
)

_RETRY_POLICY = {
    "maxAttempts": 4,
    "initialBackoff": "0.1s",
    "maxBackoff": "2s",
    "backoffMultiplier": 2,
    "retryableStatusCodes": ["UNAVAILABLE"],
}

CHANNEL_OPTIONS: Options = (
    ("grpc.max_receive_message_length", MESSAGE_BYTES),
    ("grpc.max_send_message_length", MESSAGE_BYTES),
    # A service that is back after a minute is found within seconds.
    ("grpc.max_reconnect_backoff_ms", 3000),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.http2.ping_timeout_ms", 10_000),
    (
        "grpc.service_config",
        json.dumps(
            {
                "loadBalancingConfig": [{"round_robin": {}}],
                # Every call is repeat-safe by its digest, so all of them may be retried.
                "methodConfig": [{"name": [{}], "retryPolicy": _RETRY_POLICY}],
                "retryThrottling": {"maxTokens": 100, "tokenRatio": 0.1},
            }
        ),
    ),
)
