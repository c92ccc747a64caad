"""Grids of training runs that one command fills, and comparisons paired over seeds.

    python -m benchmarks.evidence run method --data FOLDER     trains missing runs, resumes interrupted ones
    python -m benchmarks.evidence compare method               compares every variant with cross entropy
    python -m benchmarks.evidence choose                       applies the rule that chooses the branch's learning rate

A table is three files beside this one: method.yaml, the grid; method.jsonl, one row per finished run; and
method.fidelity.jsonl, the fidelity of a run, measured once the other seeds are finished too.
"""
