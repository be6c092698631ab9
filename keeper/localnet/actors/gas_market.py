"""Sets what a block costs: the base fee of the path, under the bounds a chain keeps."""

from dataclasses import dataclass

from keeper.model.units import Wei

LEAST_WEI = 7
"""Under it EIP-1559's steps of an eighth round to nothing."""


@dataclass(frozen=True, slots=True)
class GasMarket:
    """`scale` makes a path's gas dearer or cheaper as a whole."""

    scale: float = 1.0
    name: str = "gas_market"

    def decide(self, path_base_fee_wei: int) -> Wei:
        """Base fee of the next block, wei."""
        return Wei(max(LEAST_WEI, round(path_base_fee_wei * self.scale)))
