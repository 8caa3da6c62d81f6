"""Drawings for the reports: each function takes numbers and returns a matplotlib Figure, and computes no score."""
