"""A request as it came over the wire: who signed it, for which service and operation, with what. No moto."""

from __future__ import annotations

import hashlib
import hmac
import io
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote

from ssm_tui.demo.answers import AwsFault

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_CREDENTIAL = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/,\s]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request,\s*"
    r"SignedHeaders=([^,\s]+),\s*Signature=([0-9a-f]{64})"
)
_LONGEST_BODY = 16 * 1024 * 1024
# The service names of signatures that differ from the prefix of the service's IAM actions.
_ACTION_PREFIXES = {"monitoring": "cloudwatch", "email": "ses", "tagging": "tag"}
# OpenSearch's, of those that name their domain in the body.
_REST = {
    ("es", "GET", "/2021-01-01/domain"): "ListDomainNames",
    ("es", "POST", "/2021-01-01/opensearch/domain-info"): "DescribeDomains",
    ("es", "POST", "/2021-01-01/opensearch/domain"): "CreateDomain",
}


@dataclass(frozen=True, slots=True)
class WireRequest:
    """One signed call."""

    access_key: str
    token: str = field(repr=False)
    region: str
    service: str
    operation: str
    protocol: str
    """`json`, `ec2`, `query` or `rest`: how the parameters came and how errors go back."""
    form: Mapping[str, str]
    """The parameters of a query call, as they came."""
    body: bytes
    environ: Mapping[str, Any] = field(repr=False)
    signature: re.Match[str] = field(repr=False)

    @property
    def action(self) -> str:
        """The IAM action, `ssm:StartSession`."""
        return f"{_ACTION_PREFIXES.get(self.service, self.service)}:{self.operation}"

    def json(self) -> dict[str, Any]:
        """The parameters of a JSON call; raises AwsFault for what is not an object."""
        try:
            decoded = json.loads(self.body or b"{}")
        except ValueError:
            raise AwsFault("SerializationException", "The request body is not valid JSON.") from None
        if not isinstance(decoded, dict):
            raise AwsFault("SerializationException", "Start of structure or map found where not expected.")
        return decoded


def read_request(environ: dict[str, Any]) -> WireRequest:
    """Reads a WSGI request, leaving its body readable for whoever comes next. Raises AwsFault when it is not signed."""
    body = _body(environ)
    environ["wsgi.input"] = io.BytesIO(body)
    target = str(environ.get("HTTP_X_AMZ_TARGET", ""))
    signature = _CREDENTIAL.match(str(environ.get("HTTP_AUTHORIZATION", "")))
    if signature is None:
        raise AwsFault("MissingAuthenticationToken", "Missing Authentication Token", 403)
    service = signature[4].lower()
    if str(environ.get("PATH_INFO", "")).startswith(("/moto-api", "/latest/")):
        # Moto's own doors: what is behind them is no AWS.
        raise AwsFault("UnknownOperationException", "The requested operation does not exist.", 404)
    form = _form(environ, body)
    if target:
        protocol, operation = "json", target.rpartition(".")[2]
    elif "Action" in form:
        protocol, operation = ("ec2" if service == "ec2" else "query"), form["Action"]
    else:
        # REST services tell the operation by method and path; but for those that we know, their actions are authorised
        # by a service-wide grant.
        method, path = environ["REQUEST_METHOD"], str(environ.get("PATH_INFO", ""))
        protocol, operation = "rest", _REST.get((service, method, path), f"{method.title()}Rest")
    return WireRequest(
        access_key=signature[1],
        token=str(environ.get("HTTP_X_AMZ_SECURITY_TOKEN", "")),
        region=signature[3],
        service=service,
        operation=operation,
        protocol=protocol,
        form=form,
        body=body,
        environ=environ,
        signature=signature,
    )


def protocol_of(environ: Mapping[str, Any]) -> str:
    """How to answer a request that could not be read."""
    return "json" if environ.get("HTTP_X_AMZ_TARGET") else "query"


def _body(environ: Mapping[str, Any]) -> bytes:
    try:
        length = int(environ.get("CONTENT_LENGTH") or 0)
    except ValueError:
        length = 0
    if length > _LONGEST_BODY:
        raise AwsFault("RequestEntityTooLarge", "Request Entity Too Large", 413)
    return bytes(environ["wsgi.input"].read(length)) if length > 0 else b""


def _form(environ: Mapping[str, Any], body: bytes) -> dict[str, str]:
    text = str(environ.get("QUERY_STRING", ""))
    if str(environ.get("CONTENT_TYPE", "")).startswith("application/x-www-form-urlencoded"):
        text = f"{text}&{body.decode(errors='replace')}"
    return dict(parse_qsl(text, keep_blank_values=True))


def signature_holds(request: WireRequest, secret: str) -> bool:
    """Was the request signed with this secret? Signature Version 4, "Create a signed AWS API request"."""
    _, day, region, service, signed_headers, given = request.signature.groups()
    environ = request.environ
    scope = f"{day}/{region}/{service}/aws4_request"
    canonical = "\n".join(
        [
            str(environ["REQUEST_METHOD"]),
            quote(str(environ.get("PATH_INFO") or "/"), safe="/-_.~"),
            _canonical_query(str(environ.get("QUERY_STRING", ""))),
            *(f"{name}:{_header(environ, name)}" for name in signed_headers.split(";")),
            "",
            signed_headers,
            hashlib.sha256(request.body).hexdigest(),
        ]
    )
    return hmac.compare_digest(_signature(canonical, str(environ.get("HTTP_X_AMZ_DATE", "")), scope, secret), given)


def presigned_signature(host: str, query: Iterable[tuple[str, str]], secret: str) -> str:
    """The signature of a GET of `host`'s root that carries all of it in its query, as tokens for databases do."""
    said = [(name, value) for name, value in query if name != "X-Amz-Signature"]
    parameters = dict(said)
    canonical = "\n".join(
        ["GET", "/", _canonical_pairs(said), f"host:{host}", "", "host", hashlib.sha256(b"").hexdigest()]
    )
    scope = parameters.get("X-Amz-Credential", "").partition("/")[2]
    return _signature(canonical, parameters.get("X-Amz-Date", ""), scope, secret)


def _signature(canonical: str, moment: str, scope: str, secret: str) -> str:
    to_sign = "\n".join(["AWS4-HMAC-SHA256", moment, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, to_sign.encode(), "sha256").hex()


def _canonical_query(text: str) -> str:
    return _canonical_pairs(parse_qsl(text, keep_blank_values=True))


def _canonical_pairs(query: Iterable[tuple[str, str]]) -> str:
    pairs = sorted((quote(key, safe="-_.~"), quote(value, safe="-_.~")) for key, value in query)
    return "&".join(f"{key}={value}" for key, value in pairs)


def _header(environ: Mapping[str, Any], name: str) -> str:
    variable = name.upper().replace("-", "_")
    if variable not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        variable = f"HTTP_{variable}"
    return " ".join(str(environ.get(variable, "")).split())
