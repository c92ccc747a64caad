"""Measurements that need more than the package: rivals, many trainings, data that is not ours to ship."""
