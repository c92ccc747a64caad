"""`python -m hlcore`."""

from hlcore.cli import main

main()
