"""The chain as it was seen, head by head: a reorganisation is said, and one deeper than is followed ends the keeper.

What a reorganisation means for intents is the follower's: it looks at all of them again as soon as a head does not
descend from the last one. This is about the chain itself (K-12).
"""

from concurrent.futures import Executor, Future

import structlog

from keeper.chain.reorg import ReorgWatch
from keeper.errors import DeepReorganisationError, ReadError
from keeper.model.block import BlockStamp

_log = structlog.get_logger(__name__)


class Lineage:
    """Watches heads, one at a time. A head that follows the last one costs no request."""

    def __init__(self, watch: ReorgWatch, threads: Executor) -> None:
        self._watch = watch
        self._threads = threads
        self._under_way: Future[None] | None = None

    def see(self, head: BlockStamp) -> bool:
        """Look at a head; True if it follows the last one, so that nothing had to be asked.

        What has to be asked for is asked by another thread; `settled` waits for it.
        Raises DeepReorganisationError where nothing has to be asked.
        """
        self.settled()
        tip = self._watch.tip
        follows = tip is not None and head.parent_hash == tip.hash
        if follows:
            self._look(head)
        else:
            self._under_way = self._threads.submit(self._look, head)
        return follows

    def settled(self) -> None:
        """Wait for the look under way; raises DeepReorganisationError."""
        found, self._under_way = self._under_way, None
        if found is not None:
            found.result()

    def _look(self, head: BlockStamp) -> None:
        try:
            found = self._watch.see(head)
        except DeepReorganisationError as error:
            _log.error("the chain was rewritten", block=head.number, problem=str(error))
            raise
        except (
            ReadError
        ) as error:  # blocks of the past: no reason not to protect; the next head finds it again
            _log.warning("the chain behind this head is not known", problem=str(error))
            return
        if found is not None:
            _log.warning(
                "the chain was reorganised",
                block=head.number,
                depth=found.depth,
                ancestor=found.ancestor.number,
                dropped=[block.hash for block in found.dropped],
            )
