"""The formats of engines that are spoken to by HTTP within TLS: OpenSearch, Neptune."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ssm_tui.domain.connection.checks import Check, Format
from ssm_tui.domain.connection.quoting import words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ssm_tui.domain.connection.endpoint import Endpoint


_HTTPS: Final = 443


def _curl(at: Endpoint) -> str:
    """--connect-to dials elsewhere and leaves name, Host header and signature as they are; -u asks for the password."""
    login = ["-u", at.user] if at.user else []
    if at.tls is False:
        return words(["curl", *login, f"http://{at.address}/"])
    known = ["--cacert", at.ca] if at.ca else []
    far = at.server if at.far == _HTTPS else f"{at.server}:{at.far}"
    through = ["--connect-to", f"{at.server}:{at.far}:{at.address}"]
    return words(["curl", *login, *known, *through, f"https://{far}/"])


FORMATS: Final[Mapping[str, Format]] = {
    "curl": Format(_curl, own_store=True),
    "url": Format(
        lambda at: f"{'http' if at.tls is False else 'https'}://{at.address}",
        Check.NOTHING,
        "a client refuses it for its name, unless told not to look",
    ),
}
