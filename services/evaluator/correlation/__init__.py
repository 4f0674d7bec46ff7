"""Correlations of fidelity with gain: within strategies, between regimes, and what they may claim."""
