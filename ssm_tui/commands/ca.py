"""`ssm-tui ca`: RDS's certificates, by which clients know its servers."""

from __future__ import annotations

from ssm_tui.commands.terminal import say, write_line


def fetch(url: str) -> int:
    """Brings the bundle here, and prints where it is. Raises SsmTuiError."""
    from ssm_tui.config import paths
    from ssm_tui.store.authorities import RDS_BUNDLE
    from ssm_tui.store.authorities import fetch as fetch_bundle

    place = paths().ca_bundle
    count = fetch_bundle(url or RDS_BUNDLE, place)
    write_line(str(place))
    say(f"{count} certificates; connection strings name this file from now on")
    return 0
