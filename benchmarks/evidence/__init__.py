"""Grids of training runs, filled by one command, and comparisons paired over seeds.

    python -m benchmarks.evidence run method --data FOLDER     trains missing runs, resumes interrupted ones
    python -m benchmarks.evidence compare method               compares every variant with cross entropy
    python -m benchmarks.evidence choose                       applies the rule for the branch's learning rate

A table is three files in this folder: method.yaml, the grid; method.csv, one row per finished run; and
method.fidelity.csv, the fidelity of each run, measured when the other seeds are finished too.
"""
