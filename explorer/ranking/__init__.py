"""Exact order statistics of magnitudes and scores."""
