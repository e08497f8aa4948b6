"""Files of trusted certificates on this machine: which of them there are, and RDS's bundle brought here."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ssm_tui.domain.connection import Trust
from ssm_tui.errors import NetworkError, SsmTuiError
from ssm_tui.store import whole

if TYPE_CHECKING:
    from collections.abc import Mapping

RDS_BUNDLE: Final = "https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem"
"""Of all commercial regions (RDS User Guide, "Using SSL/TLS to encrypt a connection to a DB instance or cluster")."""

_MOST_BYTES: Final = 4 * 1024 * 1024  # RDS's bundle has 160 KB
_PATIENCE: Final = 30.0
# Debian's, Red Hat's, SUSE's, and that of Alpine, the BSDs and macOS: as Go's crypto/x509 looks for them.
_SYSTEM: Final = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
# Where people put RDS's bundle who have followed AWS's guide, under AWS's own name for it.
_USUAL: Final = ("~/.postgresql", "~", "/etc/ssl/certs", "/certs")


def known(own: str, fetched: Path, environment: Mapping[str, str] = os.environ) -> Trust:
    """What there is now: the user's `own` file as it stands, RDS's bundle that was `fetched` or lies at a usual place,
    the system's. Blocks briefly."""
    usual = (Path(folder).expanduser() / fetched.name for folder in _USUAL)
    system = (environment.get("SSL_CERT_FILE") or "", *_SYSTEM)
    return Trust(
        own=str(Path(own).expanduser().absolute()) if own else "",
        rds=next((str(file) for file in (fetched, *usual) if file.is_file()), ""),
        system=next((file for file in system if file and Path(file).is_file()), ""),
    )


def fetch(url: str, place: Path) -> int:
    """Brings a bundle of certificates here, over HTTPS from a server that the system trusts; how many it holds. What
    was there before stays until the new one is whole. Blocks. Raises SsmTuiError."""
    data = _download(url)
    count = _count(data)
    if not count:
        raise SsmTuiError(f"{url} holds no certificates", "name another address with --url")
    try:
        with whole.locked(place) as alone:
            whole.replace(place, (data,), alone=alone)
    except OSError as problem:
        raise SsmTuiError(
            f"{place} cannot be written: {problem.strerror}", "mend its folder's permissions, or make room"
        ) from None
    return count


def _download(url: str) -> bytes:
    # 60 ms, and wanted here alone.
    from http.client import HTTPException
    from urllib.error import HTTPError
    from urllib.request import urlopen

    if not url.startswith("https://"):
        raise SsmTuiError(f"{url} is not an https address", "what is to be trusted must come from a known server")
    try:
        with urlopen(url, timeout=_PATIENCE) as answer:  # noqa: S310 - https alone
            if not answer.url.startswith("https://"):
                raise SsmTuiError(f"{url} leads to {answer.url}, which is not https", "name another with --url")
            data: bytes = answer.read(_MOST_BYTES + 1)
    except HTTPError as error:
        raise NetworkError(f"{url} answers {error.code}", "name another address with --url") from None
    except (OSError, HTTPException, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        raise NetworkError(
            f"{url} was not reached: {reason}",
            "behind a proxy set HTTPS_PROXY, or save the file yourself and name it in the setting ca_bundle",
        ) from None
    if len(data) > _MOST_BYTES:
        raise SsmTuiError(f"{url} is too large for a bundle of certificates", "name another address with --url")
    return data


def _count(data: bytes) -> int:
    """How many certificates; 0 for what is no PEM."""
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(cadata=data.decode("ascii"))
    except (ssl.SSLError, ValueError):
        return 0
    return context.cert_store_stats()["x509"]
