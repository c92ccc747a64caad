"""The evidence: grids of training runs that one command fills, and comparisons that are paired over seeds.

    python -m benchmarks.evidence run method --data FOLDER     trains what the table lacks, resumes what was stopped
    python -m benchmarks.evidence compare method               compares every variant with cross entropy
    python -m benchmarks.evidence choose                       applies the rule that chooses the branch's learning rate

A table is three files beside this one: method.yaml, the grid; method.jsonl, one row a finished run; and
method.fidelity.jsonl, what is known of a run once those of the other seeds are finished too.
"""
