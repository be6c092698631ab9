"""How the simulated chain refuses: with the name of the contract's own error and its evidence."""


class Reverted(Exception):  # noqa: N818 - named for the fact, as on the chain
    """A transaction that changes nothing; never leaves the package."""

    def __init__(self, name: str, *evidence: object) -> None:
        super().__init__(name, *evidence)
        self.name = name
        self.evidence = evidence

    def __str__(self) -> str:
        return f"{self.name}({', '.join(str(e) for e in self.evidence)})"
