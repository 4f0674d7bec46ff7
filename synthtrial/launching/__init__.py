"""The parts of the supervisor that starts, watches and stops everything a study needs."""
