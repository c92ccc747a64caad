"""Studies that need more than the package: other methods, many training runs, data we may not redistribute."""
