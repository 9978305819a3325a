"""`python -m proofs_check` is `flatproof`."""

from proofs_check.cli import main

main()
