"""The commands that use trained networks. hlcore.cli registers them."""

from hlcore.commands.analyze import analyze
from hlcore.commands.evaluate import evaluate
from hlcore.commands.export import export
from hlcore.commands.fit import fit, suspicion
from hlcore.commands.import_maps import import_maps
from hlcore.commands.options import INTERRUPTED
from hlcore.commands.predict import predict
from hlcore.commands.runs import runs

__all__ = ["INTERRUPTED", "analyze", "evaluate", "export", "fit", "import_maps", "predict", "runs", "suspicion"]
