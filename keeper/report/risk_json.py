"""The risk report as JSON: stable, versioned, readable by anything (no NaN, no infinity)."""

import dataclasses
import json
import math
from enum import Enum
from typing import Any

from keeper.model.risk_report import FullReport


def plain(value: Any) -> Any:
    """Dataclasses as objects, tuples as lists; what is not finite is null."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def risk_json(report: FullReport) -> str:
    """Equal reports give equal text; keys in the order of the schema."""
    return json.dumps(plain(report), indent=2, allow_nan=False) + "\n"
