"""The formats of Redis, Valkey and Memcached."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ssm_tui.domain.connection.checks import Check, Format
from ssm_tui.domain.connection.quoting import assignment, url, words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ssm_tui.domain.connection.endpoint import Endpoint


def _cli(program: str, at: Endpoint) -> str:
    """--sni is what the server is asked for by name; the client checks no name at all."""
    login = ["--user", at.user, "--askpass"] if at.user else []
    tls = ["--tls", "--sni", at.server, *(["--cacert", at.ca] if at.ca else ["--insecure"])] if at.tls else []
    return words([program, "-h", at.host, "-p", str(at.port), *login, *tls])


def redis_url(at: Endpoint) -> str:
    """`rediss` is Redis within TLS; the query is in redis-py's words, which checks the name unless told not to."""
    if not at.tls:
        return url("redis", at)
    reqs = [("ssl_ca_certs", at.ca)] if at.ca else [("ssl_cert_reqs", "none")]
    return url("rediss", at, pairs=[*reqs, ("ssl_check_hostname", "false")])


def _memcached(at: Endpoint) -> str:
    """A connection to type commands on; OpenSSL's client is the one that checks names."""
    if not at.tls:
        return words(["nc", at.host, str(at.port)])
    named = ["-servername", at.server, "-verify_hostname", at.server, "-verify_return_error", "-CAfile", at.ca]
    return words(["openssl", "s_client", "-quiet", "-connect", at.address, *(named if at.ca else named[:2])])


_ONLY_CHAIN: Final = "it checks no names"

REDIS_FORMATS: Final[Mapping[str, Format]] = {
    "url": Format(redis_url, Check.CHAIN, "in redis-py's words, which knows no name but the one dialled"),
    "redis-cli": Format(lambda at: _cli("redis-cli", at), Check.CHAIN, _ONLY_CHAIN),
    "valkey-cli": Format(lambda at: _cli("valkey-cli", at), Check.CHAIN, _ONLY_CHAIN),
    "env": Format(lambda at: assignment("REDIS_URL", redis_url(at)), Check.CHAIN, "in redis-py's words"),
}

MEMCACHED_FORMATS: Final[Mapping[str, Format]] = {"memcached": Format(_memcached)}
