"""Turns predictions and corpora into numbers, intervals and verdicts."""
