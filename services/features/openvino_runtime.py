"""OpenVINO without its usage reports: everything here takes it from this module.

Importing it as it comes sends an event over the network and writes an identifier
into the user's home. Where its reporter cannot be imported, it does without.
"""

import sys

REPORTER = "openvino_telemetry"

_known = sys.modules.get(REPORTER)
# None is how Python marks a module that must not be found.
sys.modules[REPORTER] = None  # type: ignore[assignment]
try:
    import openvino as ov
    from openvino import opset13 as op
finally:
    del sys.modules[REPORTER]
    if _known is not None:
        sys.modules[REPORTER] = _known

__all__ = ["op", "ov"]
