"""The stages of a study as plain functions: they run without an orchestrator."""
