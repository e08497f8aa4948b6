"""Property tests here count examples, not milliseconds: the machine that runs them is busy with the others."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("no-deadline", deadline=None)
settings.load_profile("no-deadline")
