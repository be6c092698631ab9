"""What readers need of whoever answers: one endpoint, or several that must agree."""

from collections.abc import Sequence
from typing import Any, Protocol

from keeper.model.block import BlockStamp

Call = tuple[str, list[Any]]
"""Method and parameters."""


class Source(Protocol):
    """An Endpoint, an EndpointPool, or a fake of ten lines."""

    @property
    def name(self) -> str:
        """For messages; never with a secret."""
        ...

    def head(self) -> BlockStamp:
        """Newest block to decide on; raises ReadError."""
        ...

    def call(self, method: str, params: list[Any]) -> Any:
        """The result; raises EndpointError or RpcError."""
        ...

    def batch(self, calls: Sequence[Call]) -> list[Any]:
        """Results in order; an RpcError stands in the place of a refused call."""
        ...

    def agreed_batch(self, calls: Sequence[Call]) -> list[Any]:
        """As `batch`, of reads that are decided on; raises ConflictError or QuorumError without agreement."""
        ...
