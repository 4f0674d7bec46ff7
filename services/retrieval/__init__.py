"""Searches selections of segments and measures the search."""
