"""The database clients of this machine, by what is on PATH. Starts none of them."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ssm_tui.domain.clients import FoundClient
    from ssm_tui.domain.databases import Family


class Clients:
    """Implements `Clients` (ssm_tui.ui.services). `wanted` is the settings' choice by protocol."""

    def __init__(self, wanted: Mapping[str, str]) -> None:
        self._wanted = wanted

    def find(self, family: Family) -> FoundClient:
        """The client to start, the settings' before the best that is there. Blocks briefly. Raises
        PrerequisiteError."""
        from ssm_tui.domain.clients import choose  # with all connection strings: not on the way to the first paint

        wanted = os.path.expanduser(self._wanted.get(family, ""))  # noqa: PTH111 - a name stays one
        return choose(family, wanted, shutil.which, os.path.realpath)
