"""Work spread over the machines of a Ray cluster; needs the extra hlcore[cluster]."""

from hlcore.cluster.connection import LOST, Cluster, connect
from hlcore.cluster.workers import Work

__all__ = ["LOST", "Cluster", "Work", "connect"]
