"""Tables of a study: on the screen, and in build/study as JSON and Markdown."""

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path

from keeper.errors import MarketDataError
from keeper.history.table import market_data

RESULTS = Path(__file__).resolve().parents[2] / "build" / "study"
HOURLY = "spot_binance_ETHUSDT_1h_2017-08_2023-12.csv.gz"


@dataclass(slots=True)
class Table:
    """Rows of text under named columns."""

    name: str
    title: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]] = field(default_factory=list)

    def add(self, *cells: str) -> None:
        """One row."""
        if len(cells) != len(self.columns):
            raise ValueError(f"{self.name}: {len(cells)} cells for {len(self.columns)} columns")
        self.rows.append(cells)

    def markdown(self) -> str:
        """As a table of Markdown."""
        lines = [self.columns, tuple("---" for _ in self.columns), *self.rows]
        return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def data_or_skip(name: str) -> Path:
    """A file of market data; where it is absent the part is skipped with a message."""
    try:
        return market_data(name)
    except MarketDataError as error:
        print(f"skipped: {error}")
        sys.exit(0)


def save(tables: list[Table], command: str, seconds: float | None = None) -> None:
    """Print every table and write it with the command that makes it; how long it took is printed only."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    for table in tables:
        text = f"{table.title}\n\n{table.markdown()}\n\n`{command}`\n"
        print(text)
        (RESULTS / f"{table.name}.md").write_text(text, encoding="utf-8")
        facts = {
            "title": table.title,
            "command": command,
            "columns": table.columns,
            "rows": table.rows,
        }
        (RESULTS / f"{table.name}.json").write_text(json.dumps(facts, indent=1), encoding="utf-8")
    if seconds is not None:
        print(f"{command} took {seconds:.0f} s\n")
