"""Requests no SDK sends: unsigned, malformed, oversized, unknown. Each gets AWS's error, none a traceback."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ssm_tui.demo.runner import DemoProcess

JSON = "application/x-amz-json-1.1"
FORM = "application/x-www-form-urlencoded; charset=utf-8"
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def send(url: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, str]:
    request = urllib.request.Request(url, data=body, headers=dict(headers))
    try:
        with _DIRECT.open(request, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def signed(
    cloud: DemoProcess, body: bytes, headers: Mapping[str, str], service: str, path: str = "/"
) -> tuple[int, str]:
    environment = cloud.environment
    keys = Credentials(environment["DEMO_ADMIN_ACCESS_KEY_ID"], environment["DEMO_ADMIN_SECRET_ACCESS_KEY"])
    request = AWSRequest("POST", f"{environment['AWS_ENDPOINT_URL']}{path}", headers=dict(headers), data=body)
    SigV4Auth(keys, service, environment["AWS_REGION"]).add_auth(request)
    return send(request.url, body, dict(request.headers.items()))


def test_unsigned(demo_cloud: DemoProcess) -> None:
    url = demo_cloud.environment["AWS_ENDPOINT_URL"]
    status, text = send(url, b"{}", {"X-Amz-Target": "AmazonSSM.DescribeSessions", "Content-Type": JSON})
    assert (status, json.loads(text)["__type"]) == (403, "MissingAuthenticationToken")
    status, text = send(url, b"Action=DescribeInstances&Version=2016-11-15", {"Content-Type": FORM})
    assert status == 403
    assert "<Code>MissingAuthenticationToken</Code>" in text
    assert send(url, b"", {"Authorization": "AWS4-HMAC-SHA256 nonsense"})[0] == 403


@pytest.mark.parametrize("path", ["/moto-api/", "/moto-api/reset", "/moto-api/data.json"])
def test_motos_own_door_is_shut(demo_cloud: DemoProcess, path: str) -> None:
    assert send(demo_cloud.environment["AWS_ENDPOINT_URL"] + path, b"", {})[0] == 403
    assert signed(demo_cloud, b"", {}, "s3", path)[0] == 404


@pytest.mark.parametrize(
    ("operation", "body", "code"),
    [
        ("StartSession", b"{", "SerializationException"),
        ("StartSession", b"[]", "SerializationException"),
        ("StartSession", b"\xff\xfe", "SerializationException"),
        ("StartSession", b"{}", "ValidationException"),
        ("StartSession", b'{"Target": 7}', "SerializationException"),
        ("StartSession", b'{"Target": "' + b"x" * 401 + b'"}', "ValidationException"),
        ("StartSession", b'{"Target": "i-0", "Parameters": []}', "SerializationException"),
        ("StartSession", b'{"Target": "i-0", "Parameters": {"portNumber": "80"}}', "SerializationException"),
        ("DescribeInstanceInformation", b'{"Filters": {}}', "SerializationException"),
        ("DescribeInstanceInformation", b'{"Filters": [7]}', "SerializationException"),
        ("DescribeInstanceInformation", b'{"MaxResults": true}', "SerializationException"),
        ("DescribeInstanceInformation", b'{"MaxResults": "10"}', "SerializationException"),
        ("DescribeSessions", b'{"State": "Asleep"}', "ValidationException"),
        ("NoSuchOperation", b"{}", "UnknownOperationException"),
    ],
)
def test_malformed(demo_cloud: DemoProcess, operation: str, body: bytes, code: str) -> None:
    headers = {"X-Amz-Target": f"AmazonSSM.{operation}", "Content-Type": JSON}
    status, text = signed(demo_cloud, body, headers, "ssm")
    assert (status, json.loads(text)["__type"]) == (400, code)


def test_oversized(demo_cloud: DemoProcess) -> None:
    headers = {"X-Amz-Target": "AmazonSSM.StartSession", "Content-Type": JSON, "Content-Length": "99999999999"}
    url = demo_cloud.environment["AWS_ENDPOINT_URL"]
    assert send(url, b"{}", headers)[0] == 413


@pytest.mark.parametrize("marker", ["nonsense", "-7"])
def test_a_marker_that_is_none(demo_cloud: DemoProcess, marker: str) -> None:
    source = "arn:aws:iam::123456789012:user/administrator"
    body = f"Action=SimulatePrincipalPolicy&Version=2010-05-08&PolicySourceArn={source}&Marker={marker}"
    body += "&ActionNames.member.1=ssm:StartSession"
    status, text = signed(demo_cloud, body.encode(), {"Content-Type": FORM}, "iam")
    assert status == 400
    assert "<Code>InvalidInput</Code>" in text
