"""How often Textual paints."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

SAY = (
    "import os; from ssm_tui.ui.frames import paint_sooner; paint_sooner();"
    "from textual import constants; print(constants.MAX_FPS, os.environ.get('TEXTUAL_FPS'))"
)


@pytest.mark.parametrize(("given", "said"), [({}, "240 None"), ({"TEXTUAL_FPS": "30"}, "30 30")])
def test_what_is_painted_waits_less_unless_the_user_has_said_otherwise(given: dict[str, str], said: str) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "TEXTUAL_FPS"} | given
    done = subprocess.run([sys.executable, "-c", SAY], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == said
