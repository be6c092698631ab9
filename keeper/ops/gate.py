"""The last question before every signature: may this keeper still act?

Decisions are refused earlier, with their reasons; but a fee may be raised or a deadline met between two
decisions, so what must not happen at all is stopped where it would happen: nothing leaves unsigned.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from keeper.errors import SigningError
from keeper.execution.signers.protocol import Signed, Signer
from keeper.model.decision import Lane, Refusal
from keeper.model.secret import Unpicklable
from keeper.ops.control import Switches

_REMEDY = "nothing was signed"


class Gate:
    """Control of one vault's keeper: switches set by people, and leadership if there is a second keeper."""

    def __init__(
        self, switches: Switches, vault: str, leads: Callable[[], str | None] = lambda: None
    ) -> None:
        """`leads` gives the reason why this keeper does not lead, None while it does."""
        self._switches = switches
        self._vault = vault
        self._leads = leads
        self._by_hand = False
        self.fence = 0

    def refusals(self, lane: Lane) -> tuple[Refusal, ...]:
        """Every reason against sending on a lane now."""
        return self.refusals_of(self._vault, lane)

    def of(self, vault: str) -> "VaultGate":
        """Control of one of several vaults: its own pause, and what holds for all."""
        return VaultGate(self, vault)

    def refusals_of(self, vault: str, lane: Lane) -> tuple[Refusal, ...]:
        """Every reason against sending for a vault on a lane now."""
        deposed = self._leads()
        ours = (Refusal("leadership", deposed),) if deposed else ()
        return ours + self._switches.refusals(vault, lane)

    def closed(self) -> str | None:
        """Why nothing may be signed at all; None if it may. A pause stops decisions, not what is in flight."""
        deposed = self._leads()
        if deposed:
            return deposed
        killed = self._switches.killed()
        return f"the kill switch is set: {killed.reason}" if killed and not self._by_hand else None

    @contextmanager
    def by_hand(self) -> Iterator[None]:
        """While a person's own order is carried out: the kill switch is against the keeper's decisions."""
        self._by_hand = True
        try:
            yield
        finally:
            self._by_hand = False

    def seal(self, signer: Signer) -> "GatedSigner":
        """A signer behind this gate."""
        return GatedSigner(signer, self)


class VaultGate:
    """Control of one vault among several."""

    def __init__(self, gate: Gate, vault: str) -> None:
        self._gate = gate
        self._vault = vault

    @property
    def fence(self) -> int:
        """Fencing token of this keeper's leadership."""
        return self._gate.fence

    def refusals(self, lane: Lane) -> tuple[Refusal, ...]:
        """Every reason against sending for it on a lane now."""
        return self._gate.refusals_of(self._vault, lane)


class GatedSigner(Unpicklable):
    """A signer that asks the gate first."""

    __slots__ = ("_gate", "_signer", "address")

    def __init__(self, signer: Signer, gate: Gate) -> None:
        self._signer = signer
        self._gate = gate
        self.address = signer.address

    def __repr__(self) -> str:
        return f"Gated({self._signer!r})"

    def sign(self, transaction: dict[str, Any]) -> Signed:
        """As the signer does; SigningError while the gate is closed."""
        closed = self._gate.closed()
        if closed is not None:
            raise SigningError(f"signer {self.address}", f"is held back: {closed}", _REMEDY)
        return self._signer.sign(transaction)
