"""How fast hlcore is: `make bench` measures, writes benchmarks/performance/results/ and docs/performance.md."""
