"""Property tests draw the same examples every time, so that a run says something about the code and not about luck.

`HYPOTHESIS_PROFILE=explore pytest ...` draws new ones.
"""

import os

from hypothesis import settings

from tests.postgres import postgres  # noqa: F401 - a fixture for all

settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.register_profile("explore", max_examples=1_000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))
