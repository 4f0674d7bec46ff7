"""The words of the study: pure values, numpy and the standard library only."""
