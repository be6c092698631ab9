"""Gas money: what the accounts can still pay, and when somebody must send more. Pure."""

from dataclasses import dataclass

from keeper.model.decision import Lane

STRESS = 10
"""Times the present base fee at which protection must still be payable."""


@dataclass(frozen=True, slots=True)
class FundsPolicy:
    """When an account is too poor."""

    protective_floor: int = 3
    """Protective transactions at ten times the base fee that the protective account must be able to pay."""
    routine_floor_wei: int = 2 * 10**16
    gas_of_protection: int = 1_000_000
    tip_wei: int = 3 * 10**9
    day_blocks: int = 7_200
    """Over which what gas cost is added up: a day of 12 s blocks."""


@dataclass(frozen=True, slots=True)
class Burned:
    """What gas cost in the last blocks, as many as make a day (K-11)."""

    reverted_wei: int
    """Of every lane."""
    protective_wei: int
    """Of protection, whatever became of it."""

    def alert(self, balance_wei: int) -> str:
        """What to tell a person; empty while the account outlasts another such day.

        Nothing is stopped for it: protection that works is worth its gas, and protection that reverts has its
        breaker.
        """
        burned = max(self.reverted_wei, self.protective_wei)
        if burned <= balance_wei:
            return ""
        return (
            f"gas of a day: reverts {self.reverted_wei / 1e18:.4f} ETH, protection "
            f"{self.protective_wei / 1e18:.4f} ETH; another such day is more than the "
            f"{balance_wei / 1e18:.4f} ETH left; find out why, and send more"
        )


@dataclass(frozen=True, slots=True)
class Funds:
    """One account's gas money at one block."""

    account: str
    lanes: tuple[Lane, ...]
    balance_wei: int
    payable: int
    """Protective transactions it could pay at ten times the base fee."""
    top_up_wei: int
    """What it lacks to its floor; 0 if it has enough."""

    @property
    def alert(self) -> str:
        """What to tell a person; empty if nothing."""
        if not self.top_up_wei:
            return ""
        lanes = " and ".join(self.lanes)
        return (
            f"account {self.account} ({lanes}) holds {self.balance_wei / 1e18:.4f} ETH and could pay "
            f"{self.payable} protective transactions at {STRESS}x the base fee; "
            f"send it {self.top_up_wei / 1e18:.4f} ETH"
        )


def payable_protections(
    balance_wei: int, base_fee_wei: int, *, gas: int = 1_000_000, tip_wei: int = 3 * 10**9
) -> int:
    """How many protective transactions a balance pays at ten times the base fee, rounded down."""
    return balance_wei // _cost(base_fee_wei, gas, tip_wei)


def funds_of(
    account: str,
    lanes: tuple[Lane, ...],
    balance_wei: int,
    base_fee_wei: int,
    policy: FundsPolicy,
) -> Funds:
    """An account against its floor; the floor of protection follows the market."""
    gas, tip = policy.gas_of_protection, policy.tip_wei
    floor = policy.routine_floor_wei if Lane.ROUTINE in lanes else 0
    if Lane.PROTECTIVE in lanes:
        floor = max(floor, policy.protective_floor * _cost(base_fee_wei, gas, tip))
    payable = payable_protections(balance_wei, base_fee_wei, gas=gas, tip_wei=tip)
    return Funds(account, lanes, balance_wei, payable, max(0, floor - balance_wei))


def _cost(base_fee_wei: int, gas: int, tip_wei: int) -> int:
    return max(1, gas * (STRESS * base_fee_wei + tip_wei))
