"""How a command ends: an exit code, one clear line when something is wrong, no traceback unless asked."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from keeper import __version__
from keeper.cli import run
from keeper.cli.logs import Redactor
from keeper.cli.main import invoke
from keeper.errors import JournalError, SettingError
from tests.unit.config.test_load import GOOD

Says = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    yield
    structlog.reset_defaults()


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Any:
    def with_error(error: BaseException) -> None:
        def fail(*_: Any, **__: Any) -> None:
            raise error

        monkeypatch.setitem(invoke.__globals__, "app", fail)

    return with_error


def test_the_version_is_told(capsys: Says) -> None:
    assert invoke(["--version"]) == 0
    assert capsys.readouterr().out == f"keeper {__version__}\n"


def test_help_names_every_command(capsys: Says) -> None:
    assert invoke(["--help"]) == 0
    out = capsys.readouterr().out
    for command in ("run", "once", "status", "risk", "config", "demo", "localnet"):
        assert command in out


def test_help_is_instant_because_heavy_imports_wait() -> None:
    """Nothing of the chain is imported for help; the time is generous for a busy machine."""
    code = (
        "import sys; from keeper.cli.main import invoke; invoke(['--help']); "
        "heavy = {'web3', 'eth_account', 'pydantic', 'numpy', 'requests'} & set(sys.modules); "
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    start = time.perf_counter()
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False,
        cwd=Path(__file__).parents[3],
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    assert time.perf_counter() - start < 3


@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        (SettingError("a.b", "is bad", "do this"), 2, "keeper: setting a.b: is bad; do this\n"),
        (JournalError("j", "two\nlines"), 1, "keeper: journal j: two lines; nothing is sent"),
        (KeyboardInterrupt(), 130, "keeper: interrupted\n"),
    ],
)
def test_an_expected_end_is_one_line(
    failing: Any, capsys: Says, error: BaseException, code: int, says: str
) -> None:
    failing(error)
    assert invoke([]) == code
    err = capsys.readouterr().err
    assert err.startswith(says)
    assert err.count("\n") == 1


def test_an_unexpected_error_is_one_line_and_says_where_the_rest_is(
    failing: Any, capsys: Says, tmp_path: Path
) -> None:
    failing(RuntimeError("boom"))
    assert invoke(["run"]) == 70
    err = capsys.readouterr().err
    log = tmp_path / "keeper-crash.log"
    assert err == (
        f"keeper: unexpected RuntimeError: boom; where it happened is in {log}, please report it\n"
    )
    assert "Traceback" in log.read_text()


def test_debug_shows_the_traceback(failing: Any, capsys: Says) -> None:
    failing(RuntimeError("boom"))
    assert invoke(["run", "--debug"]) == 70
    assert "Traceback" in capsys.readouterr().err


def test_the_traceback_shows_no_secret(failing: Any, capsys: Says) -> None:
    failing(RuntimeError("no https://node.example/v3/SECRET99"))
    before = run.REDACTOR.set(Redactor(["SECRET99"]))
    try:
        assert invoke(["run", "--debug"]) == 70
    finally:
        run.REDACTOR.reset(before)
    err = capsys.readouterr().err
    assert "Traceback" in err
    assert "SECRET99" not in err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["fly"], "No such command 'fly'"),
        (["run", "--fast"], "No such option: --fast"),
        (["run", "--blocks", "0"], "--blocks"),
        (["demo", "--seed", "x"], "--seed"),
        (["demo", "--interpolation", "cubic"], "--interpolation"),
    ],
)
def test_a_misused_command_is_one_line(capsys: Says, arguments: list[str], says: str) -> None:
    assert invoke(arguments) == 2
    err = capsys.readouterr().err
    assert says in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("command", [["run"], ["once"], ["status"], ["config", "show"]])
def test_without_settings_the_first_missing_one_is_named(capsys: Says, command: list[str]) -> None:
    assert invoke(command) == 2
    assert "keeper: setting chain_id: is missing" in capsys.readouterr().err


def test_config_show_lists_every_setting(capsys: Says, tmp_path: Path) -> None:
    (tmp_path / "keeper.toml").write_text(GOOD)
    assert invoke(["config", "show"]) == 0
    out = capsys.readouterr().out
    for word in ("tick.deadline_s", "gas.max_fee_gwei", "gwei", "collateral_guard", "default"):
        assert word in out


def test_config_init_writes_once(capsys: Says, tmp_path: Path) -> None:
    assert invoke(["config", "init"]) == 0
    assert "wrote keeper.toml" in capsys.readouterr().err
    assert "chain_id" in (tmp_path / "keeper.toml").read_text()
    assert invoke(["config", "init"]) == 2
    assert "exists already" in capsys.readouterr().err
    assert invoke(["config", "init", "none/keeper.toml"]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_config_init_fills_the_empty_file_a_shell_made(tmp_path: Path, capsys: Says) -> None:
    """As `keeper config init > keeper.toml` does: nothing of its own goes into it."""
    (tmp_path / "keeper.toml").touch()
    assert invoke(["config", "init"]) == 0
    assert capsys.readouterr().out == ""
    assert "chain_id" in (tmp_path / "keeper.toml").read_text()


def test_config_init_can_print_the_example(tmp_path: Path, capsys: Says) -> None:
    assert invoke(["config", "init", "-"]) == 0
    assert "chain_id" in capsys.readouterr().out
    assert not list(tmp_path.iterdir())


def test_config_show_is_a_table_whatever_is_wrong(tmp_path: Path, capsys: Says) -> None:
    (tmp_path / "keeper.toml").write_text('tick.deadline_s = 1\nlog = 3\nvaults = "x"\n')
    assert invoke(["config", "show"]) == 2
    shown = capsys.readouterr()
    assert "gas.max_fee_gwei" in shown.out
    assert "! is missing" in shown.out
    assert "! input should be greater" in shown.out
    for field in ("chain_id", "rpc_url", "vault", "lens", "tick.deadline_s", "log", "vaults"):
        assert f"keeper: setting {field}: " in shown.err
    assert "config show" not in shown.err


def test_config_show_without_a_readable_file_still_lists_the_settings(
    tmp_path: Path, capsys: Says
) -> None:
    (tmp_path / "keeper.toml").write_text("chain_id = \n")
    assert invoke(["config", "show"]) == 2
    shown = capsys.readouterr()
    assert "gas.max_fee_gwei" in shown.out
    assert "keeper: settings file keeper.toml: is not TOML" in shown.err
