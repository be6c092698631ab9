"""Proofs and measurements of the contracts: what `make slither`, `make halmos`, `make gas` and their like run."""
