"""What endpoints say of their own pools and of what is newest: hints, on which honest ones may differ. Pure.

Whatever follows from a hint is never above what one of the honest endpoints says, as long as they are no fewer than
the others. A false one can be lower: a pool then looks emptier, a block less final, a tip smaller, and each of these
is made up for by what is agreed on or journalled (own nonces in flight, the base fee, the tips of the policy).
"""

from collections.abc import Sequence


def vouched(said: Sequence[int | None]) -> int | None:
    """The greatest number that more than half of those asked reach; one that said none reaches none."""
    ranked = sorted((n for n in said if n is not None), reverse=True)
    place = len(said) // 2
    return ranked[place] if place < len(ranked) else None
