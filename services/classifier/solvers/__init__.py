"""Weighted logistic regression for many labels and many weightings at once."""
