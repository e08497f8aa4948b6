"""Session documents: AWS's own, and those the account keeps in moto; a document and parameters make a session's order.

Source: "Session document schema" in the Systems Manager user guide, and the AWS-owned documents as published there.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from moto.ssm.models import ssm_backends

from ssm_tui.demo.answers import AwsFault
from ssm_tui.demo.principals import partition_of

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT = "SSM-SessionManagerRunShell"

_PORT = {"type": "String", "allowedPattern": r"^([1-9]|[1-9][0-9]{1,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])$"}  # fmt: skip # noqa: E501
_LOCAL_PORT = {**_PORT, "default": "0", "allowedPattern": f"{_PORT['allowedPattern'][:-1]}|^0$"}
_COMMAND = {"type": "String", "allowedPattern": r".+"}


def _owned(description: str, kind: str, properties: Mapping[str, Any], parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "schemaVersion": "1.0",
        "description": description,
        "sessionType": kind,
        "parameters": dict(parameters),
        "properties": dict(properties),
    }


_AWS_OWNED = {
    "AWS-StartPortForwardingSession": _owned(
        "Document to start port forwarding session over Session Manager",
        "Port",
        {"portNumber": "{{ portNumber }}", "type": "LocalPortForwarding", "localPortNumber": "{{ localPortNumber }}"},
        {"portNumber": {**_PORT, "default": "80"}, "localPortNumber": _LOCAL_PORT},
    ),
    "AWS-StartPortForwardingSessionToRemoteHost": _owned(
        "Document to start port forwarding session over Session Manager to remote host",
        "Port",
        {
            "portNumber": "{{ portNumber }}",
            "type": "LocalPortForwarding",
            "localPortNumber": "{{ localPortNumber }}",
            "host": "{{ host }}",
        },
        {
            "host": {
                "type": "String",
                "default": "localhost",
                "allowedPattern": r"^[^,$^&\(\)!;'\"<>\`{}\[\]\|#=]{3,}$",
            },
            "portNumber": {**_PORT, "default": "80"},
            "localPortNumber": _LOCAL_PORT,
        },
    ),
    "AWS-StartSSHSession": _owned(
        "Document to start a session to an instance via SSH",
        "Port",
        {"portNumber": "{{ portNumber }}"},
        {"portNumber": {**_PORT, "default": "22"}},
    ),
    "AWS-StartInteractiveCommand": _owned(
        "Document to run single interactive command on an instance",
        "InteractiveCommands",
        {"windows": {"commands": "{{ command }}"}, "linux": {"commands": "{{ command }}"}},
        {"command": {**_COMMAND, "default": "date"}},
    ),
    "AWS-StartNoninteractiveCommand": _owned(
        "Document to run a command on an instance without interaction",
        "NonInteractiveCommands",
        {"windows": {"commands": "{{ command }}"}, "linux": {"commands": "{{ command }}"}},
        {"command": _COMMAND},
    ),
    "AWS-StartNonInteractiveCommand": _owned(
        "Document to run a command on an instance without interaction",
        "NonInteractiveCommands",
        {"windows": {"commands": "{{ command }}"}, "linux": {"commands": "{{ command }}"}},
        {"command": _COMMAND},
    ),
}
_PREFERENCES = {
    "schemaVersion": "1.0",
    "description": "Document to hold regional settings for Session Manager",
    "sessionType": "Standard_Stream",
    "inputs": {"s3BucketName": "", "cloudWatchLogGroupName": "", "kmsKeyId": "", "runAsEnabled": False},
}


@dataclass(frozen=True, slots=True)
class Document:
    """A session document with the ARN that policies name it by."""

    name: str
    arn: str
    content: Mapping[str, Any]

    @property
    def session_type(self) -> str:
        return str(self.content.get("sessionType", ""))

    @property
    def key_id(self) -> str | None:
        """The KMS key of its sessions; empty for none, None where the document leaves it to the account's settings."""
        inputs = self.content.get("inputs")
        return str(inputs.get("kmsKeyId") or "") if isinstance(inputs, dict) else None

    def properties(self, given: Mapping[str, list[str]], platform: str) -> dict[str, str]:
        """The properties with the parameters filled in; raises AwsFault for parameters the document does not take."""
        declared = self.content.get("parameters", {})
        unknown = sorted(set(given) - set(declared))
        if unknown:
            raise _bad_parameters(f"Parameters [{', '.join(unknown)}] are not defined in document {self.name}")
        values = {name: _value(name, rule, given.get(name)) for name, rule in declared.items()}
        properties = self.content.get("properties", {})
        properties = properties.get(platform, properties)
        return {key: _filled(str(value), values) for key, value in properties.items() if not isinstance(value, dict)}


def find_document(name: str, account: str, region: str) -> Document:
    """The session document by name or ARN; raises AwsFault when there is none, or it is no session document."""
    short = name.rpartition("document/")[2]
    own = _own_document(short, account, region)
    if own is not None:
        return Document(short, f"arn:{partition_of(region)}:ssm:{region}:{account}:document/{short}", own)
    if short in _AWS_OWNED:
        # Documents that AWS owns carry no account in their ARN.
        return Document(short, f"arn:{partition_of(region)}:ssm:{region}::document/{short}", _AWS_OWNED[short])
    if short == DEFAULT:
        return Document(short, f"arn:{partition_of(region)}:ssm:{region}:{account}:document/{short}", _PREFERENCES)
    raise AwsFault("InvalidDocument", f"Document with name {short} does not exist.")


def session_key(document: Document, account: str, region: str) -> str:
    """The KMS key that a session by this document is encrypted with, empty for none; port sessions never are.

    What the document does not say is in the account's preferences, which are the default document.
    """
    if document.session_type == "Port":
        return ""
    own = document.key_id
    return own if own is not None else find_document(DEFAULT, account, region).key_id or ""


def is_aws_owned(name: str) -> bool:
    return name.rpartition("document/")[2] in (*_AWS_OWNED, DEFAULT)


def is_kept(name: str, account: str, region: str) -> bool:
    """Whether the account has a document by this name: the default one too is its own once it was created."""
    return name.rpartition("document/")[2] in ssm_backends[account][region]._documents  # noqa: SLF001 -- as below


def _own_document(name: str, account: str, region: str) -> Mapping[str, Any] | None:
    kept = ssm_backends[account][region]._documents.get(name)  # noqa: SLF001 -- moto has no public way to the content
    if kept is None:
        return None
    # Preferences are in force as soon as they are updated, whatever version is the default ("Update Session Manager
    # preferences" in the user guide has no second step).
    latest = kept.find("$LATEST" if name == DEFAULT else None)
    if latest.document_type != "Session":
        raise AwsFault("InvalidDocument", f"Document type {latest.document_type} is not supported for this operation.")
    try:
        decoded: dict[str, Any] = json.loads(latest.content)
    except ValueError:
        raise AwsFault("InvalidDocument", f"Document {name} is not in JSON, which this cloud insists on.") from None
    return decoded


def _value(name: str, rule: Mapping[str, Any], given: list[str] | None) -> str:
    if not given:
        if "default" in rule:
            return str(rule["default"])
        raise _bad_parameters(f"Parameter {name} is required")
    value = str(given[0])
    pattern = rule.get("allowedPattern")
    if pattern and re.search(pattern, value) is None:
        raise _bad_parameters(f"Parameter {name} with value {value} does not match the allowed pattern {pattern}")
    return value


def _filled(text: str, values: Mapping[str, str]) -> str:
    return re.sub(r"\{\{\s*(\w+)\s*\}\}", lambda match: values.get(match[1], match[0]), text)


def _bad_parameters(message: str) -> AwsFault:
    return AwsFault("InvalidParameters", message)


def described(operation: str, name: str, account: str, region: str) -> dict[str, Any]:
    """The answer of DescribeDocument or GetDocument for a document that AWS owns."""
    document = find_document(name, account, region)
    common = {
        "Name": document.name,
        "DocumentVersion": "1",
        "Status": "Active",
        "DocumentType": "Session",
        "DocumentFormat": "JSON",
    }
    if operation == "GetDocument":
        return common | {"Content": json.dumps(document.content, indent=2)}
    parameters = document.content.get("parameters", {})
    return {
        "Document": common
        | {
            "Owner": "Amazon",
            "DefaultVersion": "1",
            "LatestVersion": "1",
            "SchemaVersion": "1.0",
            "Description": document.content.get("description"),
            "PlatformTypes": ["Windows", "Linux", "MacOS"],
            "Parameters": [
                {"Name": each, "Type": rule["type"], "DefaultValue": rule.get("default")}
                for each, rule in parameters.items()
            ],
        }
    }
