"""The wire: how the services start, answer, fail and are called."""
