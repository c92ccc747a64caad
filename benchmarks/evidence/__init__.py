"""The evidence: grids of training runs that one command fills, and comparisons that are paired over seeds.

    python -m benchmarks.evidence run losses       trains what the table lacks, resumes what was stopped
    python -m benchmarks.evidence compare losses   compares every loss with cross entropy

A table is two files beside this one: losses.yaml, the grid, and losses.jsonl, one row a finished run.
"""
