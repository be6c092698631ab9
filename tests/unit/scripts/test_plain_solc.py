"""The compiler of coverage changes the optimizer of a request, nothing else, and compiles what is else too deep."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from scripts.contracts.common import BUILD
from scripts.contracts.plain_solc import PLAIN, plain

SCRIPT = Path(__file__).resolve().parents[3] / "scripts" / "contracts" / "plain_solc.py"
COMPILER = BUILD / "solc" / "solc-v0.8.30"
ECHO = "import sys; print(sys.argv[1:], sys.stdin.read()); sys.exit(3)"

# Twelve words leave no room beside them for what encodes them.
FIELDS = ", ".join(f"uint256 f{number}" for number in range(12))
SOURCE = f"contract C {{ event Told({FIELDS}); function tell({FIELDS}) external {{ emit Told({{}}); }} }}".replace(
    "{}", ", ".join(f"f{number}" for number in range(12))
)


def passed_on(arguments: list[str], stdin: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPT), *arguments]
    return subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)


def request(optimizer: dict[str, Any]) -> dict[str, Any]:
    settings = {"outputSelection": {"*": {"*": ["evm.bytecode.object"]}}, "optimizer": optimizer}
    return {
        "language": "Solidity",
        "sources": {"C.sol": {"content": SOURCE}},
        "settings": settings,
    }


def errors(answer: str) -> list[str]:
    found = json.loads(answer).get("errors", [])
    return [error["message"] for error in found if error["severity"] == "error"]


@pytest.mark.parametrize("optimizer", [{"enabled": True, "runs": 200}, {"enabled": False}])
def test_only_the_optimizer_is_changed(optimizer: dict[str, Any]) -> None:
    before = request(optimizer)
    after = plain(before)
    assert after["settings"].pop("optimizer") == PLAIN
    assert before["settings"].pop("optimizer") == optimizer
    assert after == before


def test_no_step_of_the_optimizer_is_left() -> None:
    assert PLAIN["enabled"] is False
    assert PLAIN["details"] == {
        "yul": True,
        "yulDetails": {"stackAllocation": True, "optimizerSteps": ":"},
    }


def test_the_compiler_gets_the_arguments_and_the_changed_request() -> None:
    arguments = ["--standard-json", "--base-path", "x"]
    told = passed_on([sys.executable, "-c", ECHO, *arguments], '{"settings": {}}')
    assert told.returncode == 3
    assert told.stdout == f"{arguments} {json.dumps({'settings': {'optimizer': PLAIN}})}\n"


def test_any_other_command_is_passed_on_as_it_is() -> None:
    told = passed_on([sys.executable, "-c", ECHO, "--version"], "as it is")
    assert (told.returncode, told.stdout) == (3, "['--version'] as it is\n")


@pytest.mark.skipif(not COMPILER.exists(), reason="there is no compiler: run `make setup`")
def test_what_is_too_deep_without_optimizer_compiles() -> None:
    deep = json.dumps(request({"enabled": False}))
    direct = subprocess.run(
        [COMPILER, "--standard-json"], input=deep, capture_output=True, text=True, check=True
    )
    assert any("too deep" in message for message in errors(direct.stdout))
    assert errors(passed_on([str(COMPILER), "--standard-json"], deep).stdout) == []
