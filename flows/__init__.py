"""The study: what is run, in which order, and what its numbers say."""
