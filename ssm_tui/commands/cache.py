"""`ssm-tui cache`: what the interface keeps of AWS from run to run."""

from __future__ import annotations

from ssm_tui.commands.terminal import say
from ssm_tui.errors import SsmTuiError


def clear() -> int:
    """Removes the rows of all contexts. Raises SsmTuiError where they cannot be removed."""
    from ssm_tui.config import paths
    from ssm_tui.store.inventory import clear as clear_rows

    folder = paths().rows
    try:
        count = clear_rows(folder)
    except OSError as problem:
        raise SsmTuiError(
            f"the rows in {folder} cannot be removed: {problem.strerror}", "mend its permissions, or remove the folder"
        ) from None
    say(f"removed the rows of {count} context{'s' if count != 1 else ''}" if count else "there were no rows to remove")
    return 0
