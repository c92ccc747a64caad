"""Readers of data sets on disk, one file per layout; hlcore.data.catalog registers them by name."""
