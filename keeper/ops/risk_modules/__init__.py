"""Third-party risk modules: measures and vetoes from code that is not ours, kept at arm's length.

A module is a function (MarketState, FullReport) -> ModuleAnswer, registered under the entry point group
`gimbal.risk`. It is never imported into the keeper: each runs in a worker process of its own, which can be killed,
and answers in JSON, which is checked. See docs/risk.md for what that does and does not protect from.
"""

from keeper.ops.risk_modules.host import GROUP, HostLimits, ModuleHost, ModuleSpec, installed
from keeper.ops.risk_modules.live import LiveModules

__all__ = ["GROUP", "HostLimits", "LiveModules", "ModuleHost", "ModuleSpec", "installed"]
