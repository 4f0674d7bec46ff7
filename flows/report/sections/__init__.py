"""The sections of a study's report, one module each: `section(tables) -> Section`."""
