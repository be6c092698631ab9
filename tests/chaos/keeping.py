"""The keeper of a schedule, rebuilt whenever it dies, and what goes wrong inside its own machine."""

import random
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

from keeper.app import Keeper, build_keeper_for
from keeper.app.lanes import lane_terms
from keeper.chain.endpoint import Endpoint
from keeper.chain.pool import EndpointPool, PoolPolicy
from keeper.config.load import load
from keeper.config.policies import follow_policy, gas_policy, policies, tick_rules
from keeper.config.strategy import load_strategy
from keeper.demo.pilot import behaviour_text
from keeper.demo.start import band_for
from keeper.errors import SigningError
from keeper.execution.signers import Signer
from keeper.execution.signers.local import from_private_key
from keeper.execution.signers.protocol import Signed
from tests.chaos.schedule import BLOCK_S, Mishap
from tests.chaos.stage import HEALTH, Stage

PATIENCE_S = 0.4
"""With an endpoint: loopback answers in milliseconds."""
_EDGES = (
    "record_decision",
    "record_attempt",
    "mark",
    "settle",
    "move_intent",
    "record_outcome",
    "reopen",
)
"""Writes of the journal: a keeper may die before or after each."""
_SKEWS_S = (-3_600, -70, 45, 90, 3_600, 86_400)


class Killed(BaseException):
    """The process ends here: nothing after this line is done."""


class Outage:
    """A signer that can be switched off."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer
        self.address = signer.address
        self.down = False

    def sign(self, transaction: dict[str, Any]) -> Signed:
        """As the signer, unless it is down."""
        if self.down:
            raise SigningError("signer", "does not answer", "wait for it")
        return self._signer.sign(transaction)


class Keeping:
    """Ticks one keeper; `strike` sets what is wrong with its machine from now on."""

    def __init__(self, stage: Stage, seed: int) -> None:
        self.stage = stage
        self._rng = random.Random(f"{seed} keeping")
        self._file = stage.folder / f"keeper-{seed}.toml"
        self._file.write_text(
            f'chain_id = 1\nrpc_url = "{stage.world.http_url}"\nvault = "{stage.deployment.vault}"\n'
            f'lens = "{stage.deployment.lens}"\n{behaviour_text(band_for(HEALTH), BLOCK_S)}'
            f"[lanes]\nblock_time_s = {BLOCK_S}\n[follow]\nconfirm_blocks = 2\nfinality_blocks = 12\n",
            encoding="utf-8",
        )
        self._path = stage.folder / f"journal-{seed}.sqlite"
        self.refused = self.restarts = 0
        self._skew_s = 0
        self._full = False
        self._slow = False
        self._dies_in: int | None = None
        self._signer = Outage(from_private_key(stage.keys[0], "campaign"))
        two = Outage(from_private_key(stage.keys[1], "campaign"))
        self._protective = two if seed % 2 else None  # every other schedule with a lane of its own
        self.keeper = self._build()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.keeper.close()

    @property
    def journal(self) -> Any:
        """Of the keeper that lives."""
        return self.keeper.journal

    def _build(self) -> Keeper:
        settings = load(self._file, {}).settings
        pool = EndpointPool(
            [Endpoint(between.url, PATIENCE_S) for between in self.stage.proxies],
            chain_id=1,
            policy=PoolPolicy(grace_s=0.05, patience_s=PATIENCE_S),
            clock=self.stage.clock,
        )
        keeper = build_keeper_for(
            pool=pool,
            chain_id=1,
            vault=settings.vault,
            lens=settings.lens,
            strategy=load_strategy(settings.strategy.name, settings.strategy.parameters),
            policies=policies(settings, 6),
            journal_path=self._path,
            signer=self._signer,
            protective=self._protective,
            terms=lane_terms(settings, {}),
            clock=self._clock,
            rules=tick_rules(settings, dry_run=False),
            gas=gas_policy(settings),
            follow=follow_policy(settings),
        )
        for name in _EDGES:
            setattr(keeper.journal, name, self._edge(getattr(keeper.journal, name)))
        return keeper

    def _clock(self) -> float:
        return self.stage.clock() + self._skew_s

    def tick(self) -> None:
        """One pass for the newest block."""
        self.keeper.tick()

    def restart(self) -> None:
        """A new process, as far as the journal and the chain can tell."""
        self.restarts += 1
        self._dies_in = None
        self.keeper.close()
        self.keeper = self._build()

    def strike(self, active: Sequence[Mishap], index: int) -> None:
        """What is wrong from now on; what is not named is well again."""
        by_kind = {m.kind: m for m in active}
        skew = by_kind.get("clock skew")
        self._skew_s = _SKEWS_S[skew.size % len(_SKEWS_S)] if skew else 0
        for signer in (self._signer, self._protective):
            if signer is not None:
                signer.down = "signer outage" in by_kind
        self._slow = "slow database" in by_kind
        self._set_full("full disk" in by_kind)
        dies = by_kind.get("crash of the keeper")
        self._dies_in = self._rng.randrange(2 * len(_EDGES)) if dies and index >= 0 else None

    def _set_full(self, full: bool) -> None:
        """SQLite's own limit: not one page more than there is."""
        if full == self._full:
            return
        self._full = full
        connection = self.keeper.journal.database.connection
        with connection.begin():
            (used,) = connection.exec_driver_sql("PRAGMA page_count").one()
            most = used if full else 2**30
            connection.exec_driver_sql(f"PRAGMA max_page_count = {int(most)}")

    def _edge(self, write: Any) -> Any:
        def guarded(*args: Any, **kwargs: Any) -> Any:
            self._step()
            result = write(*args, **kwargs)
            self._step()
            if self._slow:
                self.stage.pass_block()
            return result

        return guarded

    def _step(self) -> None:
        if self._dies_in is None:
            return
        if self._dies_in == 0:
            self._dies_in = None
            raise Killed
        self._dies_in -= 1
