"""`python -m connector.cli`: the `escalator` command."""

from . import main

main()
