"""A keeper is there quickly: what the first tick does not need is not imported before it."""

import subprocess
import sys

import pytest

HEAVY = ("numba", "scipy", "pandas", "web3", "alembic", "boto3", "pyarrow", "prometheus_client")


def loaded(*modules: str) -> list[str]:
    """Which of the heavy ones come with these."""
    script = (
        f"import sys, {', '.join(modules)}\n"
        f"print(*(name for name in {HEAVY!r} if name in sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=120
    )
    return done.stdout.split()


@pytest.mark.parametrize(
    "modules",
    [
        ("keeper.cli",),
        (
            "keeper.cli",
            "keeper.app",
            "keeper.cli.operate",
            "keeper.cli.term",
            "keeper.report.moves",
        ),
    ],
)
def test_nothing_heavy_is_imported_for_help_and_for_the_first_tick(
    modules: tuple[str, ...],
) -> None:
    assert loaded(*modules) == []
