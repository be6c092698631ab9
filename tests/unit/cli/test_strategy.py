"""keeper strategy: what is listed is what is installed, what is scaffolded works, what is weighed is explained."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from keeper.cli.main import invoke
from keeper.config.strategy import GROUP, load_strategy
from keeper.errors import SettingError
from keeper.hosted import HostedStrategy, StrategyLimits
from keeper.model.sample import sample_market
from keeper.risk import assess
from tests.installed import install
from tests.unit.strategies.catalogue import EVERY, registered
from tests.unit.strategies.catalogue import ROOT as PROJECT

Out = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The strategies that this checkout registers, whatever is installed."""
    install(tmp_path / "site", "gimbal", GROUP, registered())
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    monkeypatch.chdir(tmp_path)


def test_lists_every_strategy_with_a_sentence(capsys: Out) -> None:
    assert invoke(["strategy", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == sorted(EVERY)
    assert all(line.endswith(".") for line in lines)


def test_lists_one_of_another_package_and_one_that_is_broken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Out
) -> None:
    points = {"zz_good": "tests.unit.hosted.outside:Good", "zz_gone": "no_such_module:Gone"}
    install(tmp_path / "more", "outside", GROUP, points)
    monkeypatch.syspath_prepend(str(tmp_path / "more"))
    assert invoke(["strategy", "list", "--json"]) == 0
    found = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert found["zz_good"]["package"] == "outside"
    assert "cannot be loaded" in found["zz_gone"]["summary"]
    assert found["covered_call"]["package"] == "gimbal"


@pytest.mark.parametrize("name", sorted(EVERY))
def test_shows_each_with_all_its_parameters(name: str, capsys: Out) -> None:
    assert invoke(["strategy", "show", name, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["value"] == registered()[name]
    fields = [p["name"] for p in found["parameters"]]
    assert fields == list(type(EVERY[name]).__dataclass_fields__)


def test_shows_units_bounds_defaults_and_words(capsys: Out) -> None:
    assert invoke(["strategy", "show", "covered_call"]) == 0
    said = capsys.readouterr().out
    assert "tenor_days: float = 7.0 [1 to 90 days]" in said
    assert "Nothing is written for less." in said
    assert "Loses:" in said
    assert invoke(["strategy", "show", "composite"]) == 0
    assert "parts: strategies = required" in capsys.readouterr().out


def test_a_strategy_that_is_not_there_is_one_clear_line(capsys: Out) -> None:
    assert invoke(["strategy", "show", "nobody"]) == 2
    assert "no strategy 'nobody'" in capsys.readouterr().err


# Beginning a new one


def test_the_scaffold_passes_its_own_test_and_decides_in_its_own_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert invoke(["strategy", "new", "my_carry", "--folder", str(tmp_path)]) == 0
    made = tmp_path / "my_carry"
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(made)],
        cwd=made,
        env={"PYTHONPATH": str(PROJECT), "PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "10 passed" in ran.stdout
    install(tmp_path / "theirs", "my-carry", GROUP, {"my_carry": "my_carry:MyCarry"})
    monkeypatch.syspath_prepend(str(tmp_path / "theirs"))
    monkeypatch.syspath_prepend(str(made))
    hosted = HostedStrategy("my_carry", {"share": 0.1}, StrategyLimits(time_s=60, start_s=120))
    market = sample_market()
    try:
        target = hosted.start()(market, assess(market))
    finally:
        hosted.close()
    assert not target.hold
    # A tenth of 500,000 dollars, at 2,000.
    assert target.net_delta == pytest.approx(25 * 10**18)
    with pytest.raises(SettingError, match="share must be 0 to 1 of NAV"):
        load_strategy("my_carry", {"share": 2})


@pytest.mark.parametrize(
    "name",
    [
        "",
        "My",
        "1st",
        "a-b",
        "class",
        "../x",
        "a__b",
        "a_",
        "x" * 60,
        "covered_call",
        "json",
        "numpy",
    ],
)
def test_a_name_that_cannot_be_one_writes_nothing(name: str, tmp_path: Path, capsys: Out) -> None:
    before = sorted(tmp_path.rglob("*"))
    assert invoke(["strategy", "new", name, "--folder", str(tmp_path)]) == 2
    assert "NAME" in capsys.readouterr().err
    assert sorted(tmp_path.rglob("*")) == before


def test_a_folder_that_is_there_is_left_alone(tmp_path: Path, capsys: Out) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "keep.txt").write_text("precious")
    assert invoke(["strategy", "new", "mine", "--folder", str(tmp_path)]) == 2
    assert "exists" in capsys.readouterr().err
    assert (tmp_path / "mine" / "keep.txt").read_text() == "precious"


# Weighing


def settings_file(tmp_path: Path, objective: str) -> str:
    path = tmp_path / "gimbal.toml"
    path.write_text(
        "chain_id = 1\n"
        'rpc_url = "http://127.0.0.1:8545"\n'
        f'vault = "0x{"11" * 20}"\nlens = "0x{"22" * 20}"\n[objective]\n{objective}\n'
    )
    return str(path)


def candidates_file(tmp_path: Path, *rows: object) -> str:
    path = tmp_path / "candidates.json"
    path.write_text(json.dumps({"candidates": rows}))
    return str(path)


BASIS = {"name": "basis", "expected_return": 0.2, "losses": [0.02] * 100, "venue": "perp",
         "exposures": {"delta": 0.0}}  # fmt: skip
LENDING = {"name": "lending", "expected_return": 0.04, "losses": [0.0] * 100}


def test_weighs_for_the_objective_and_names_what_binds(tmp_path: Path, capsys: Out) -> None:
    config = settings_file(tmp_path, "es_limit = 0.03\nmost_per_venue = 0.4\nleast_health = 1.6\n"
                                     "bands = { delta = [-0.02, 0.02] }")  # fmt: skip
    given = candidates_file(tmp_path, BASIS, LENDING)
    assert invoke(["strategy", "allocate", given, "--config", config]) == 0
    said = capsys.readouterr().out
    assert "40.00%  basis" in said
    assert "60.00%  lending" in said
    assert "bound by at perp (0.4): one unit more is worth +0.16" in said
    assert invoke(["strategy", "allocate", given, "--config", config, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["feasible"] is True


def test_says_why_it_cannot_be_and_what_would_have_to_give(tmp_path: Path, capsys: Out) -> None:
    config = settings_file(tmp_path, "es_limit = 0.001\nleast_return = 0.1")
    given = candidates_file(tmp_path, BASIS, LENDING)
    assert invoke(["strategy", "allocate", given, "--config", config]) == 1
    said = capsys.readouterr().out
    assert "these exclude each other: " in said
    assert "expected shortfall" in said
    assert "return" in said
    assert "possible if" in said


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "no JSON"),
        ("7", "no list"),
        ("[7]", "no table"),
        ('[{"name": "a"}]', "lacks expected_return"),
        ('[{"name": "a", "expected_return": 0.1, "losses": [], "colour": 1}]', "colour"),
        ('[{"name": "a", "expected_return": "x", "losses": []}]', "wrong value"),
        ('[{"name": "a", "expected_return": true, "losses": []}]', "wrong value"),
        ('[{"name": 5, "expected_return": 0.1, "losses": []}]', "wrong value"),
        ('[{"name": "a", "expected_return": NaN, "losses": []}]', "not finite"),
        ("[]", "there are none"),
    ],
)
def test_candidates_that_cannot_be_used_are_one_clear_line(
    text: str, says: str, tmp_path: Path, capsys: Out
) -> None:
    path = tmp_path / "candidates.json"
    path.write_text(text)
    config = settings_file(tmp_path, "")
    assert invoke(["strategy", "allocate", str(path), "--config", config]) == 2
    said = capsys.readouterr().err
    assert says in said
    assert len(said.splitlines()) == 1


def test_an_objective_is_enough_of_settings_to_allocate(tmp_path: Path) -> None:
    config = tmp_path / "objective.toml"
    config.write_text("[objective]\nmost_per_venue = 1.0\n")
    given = candidates_file(tmp_path, LENDING)
    assert invoke(["strategy", "allocate", given, "--config", str(config)]) == 0


def test_another_fault_of_the_settings_stops_an_allocation(tmp_path: Path, capsys: Out) -> None:
    config = tmp_path / "objective.toml"
    config.write_text("[tick]\ndeadline_s = -1\n")
    given = candidates_file(tmp_path, LENDING)
    assert invoke(["strategy", "allocate", given, "--config", str(config)]) == 2
    assert "tick.deadline_s" in capsys.readouterr().err


def test_a_file_that_is_not_there_is_one_clear_line(tmp_path: Path, capsys: Out) -> None:
    config = settings_file(tmp_path, "")
    assert invoke(["strategy", "allocate", "nowhere.json", "--config", config]) == 2
    assert "cannot be read" in capsys.readouterr().err


@pytest.mark.parametrize(
    "objective",
    ['goal = "fame"', "es_limit = 2", "least_health = 0.5", "bands = { delta = [1, -1] }", "x = 1"],
)
def test_an_objective_that_is_none_is_a_setting_error(
    objective: str, tmp_path: Path, capsys: Out
) -> None:
    given = candidates_file(tmp_path, LENDING)
    assert (
        invoke(["strategy", "allocate", given, "--config", settings_file(tmp_path, objective)]) == 2
    )
    assert "objective" in capsys.readouterr().err
