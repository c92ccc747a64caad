"""Studies that need more than the package: other methods, many training runs, data that must not be redistributed."""
