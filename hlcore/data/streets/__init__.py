"""Synthetic street scenes with exact labels, generated from a seed: a data set that needs no download."""

from hlcore.data.streets.dataset import Streets

__all__ = ["Streets"]
