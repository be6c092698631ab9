"""The campaign is believed only if it called enough, everything, and nothing broke."""

from scripts.contracts.deep import parse, report

OUTPUT = """
Ran 2 tests for tests/forge/VaultInvariants.t.sol:VaultInvariantsTest
[PASS] invariant_reserves() (runs: 256, calls: 3000000, reverts: 12)

╭---------------+----------+-------+---------+----------╮
| Contract      | Selector | Calls | Reverts | Discards |
+=======================================================+
| VaultHandlers | deposit  | 40    | 2       | 0        |
|---------------+----------+-------+---------+----------|
| VaultHandlers | settle   | 60    | 0       | 0        |
╰---------------+----------+-------+---------+----------╯

[FAIL: reserved more than idle] invariant_idle() (runs: 3, calls: 2000000, reverts: 0)
"""


def test_invariants_and_their_handlers_are_read() -> None:
    first, second = parse(OUTPUT.splitlines())
    assert (first.suite, first.name, first.passed) == (
        "VaultInvariantsTest",
        "invariant_reserves",
        True,
    )
    assert (first.runs, first.calls, first.reverts) == (256, 3_000_000, 12)
    assert first.handlers == {"VaultHandlers.deposit": 40, "VaultHandlers.settle": 60}
    assert not second.passed


def test_a_broken_invariant_fails() -> None:
    assert report(parse(OUTPUT.splitlines()), 1, 1.0, 0) == 1
    assert report(parse(OUTPUT.splitlines())[:1], 0, 1.0, 0) == 0


def test_too_few_calls_fail() -> None:
    assert report(parse(OUTPUT.splitlines())[:1], 0, 1.0, 5_000_000) == 1


def test_a_handler_that_never_ran_fails() -> None:
    idle = OUTPUT.replace("| 60 ", "| 0  ")
    assert report(parse(idle.splitlines())[:1], 0, 1.0, 0) == 1


def test_forges_own_failure_is_not_lost() -> None:
    assert report(parse(OUTPUT.splitlines())[:1], 1, 1.0, 0) == 1
