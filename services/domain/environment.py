"""Variables by which processes of one service tell each other something."""

# A worker's number among those of its service, from 0; no two that run have the same.
PLACE_VARIABLE = "SYNTHTRIAL_WORKER_PLACE"
