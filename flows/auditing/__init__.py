"""The audit of synthetic files against real ones: no orchestrator, no servers to start."""
