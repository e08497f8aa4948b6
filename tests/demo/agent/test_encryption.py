"""Sessions encrypted with KMS, over the whole demo cloud: preferences on the wire, real keys, policies and processes.

The preferences are those of the region until the last test here is done: no other's sessions are encrypted.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from ssm_tui.plugin import framing
from ssm_tui.plugin.framing import Message, MessageType, PayloadType
from tests.demo_cloud import Caller, administrator_of, developer_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from ssm_tui.demo.runner import DemoProcess

pytestmark = pytest.mark.xdist_group("demo-encryption")  # one cloud for all

PREFERENCES = "SSM-SessionManagerRunShell"
SECRET = "the quick brown fox"
BEGUN = b"This session is encrypted using AWS KMS.\n"


@dataclass(frozen=True, slots=True)
class Place:
    """The cloud with a key, and who may do what."""

    cloud: DemoProcess
    administrator: Caller
    developer: Caller
    key: str
    node: str
    role: str

    def allow(self, *, developer: bool = True, node: bool = True) -> None:
        """May the developer make data keys, may the node read them? Both by a policy of their own."""
        iam = self.administrator.client("iam")
        user = self.developer.client("sts").get_caller_identity()["Arn"].rpartition("/")[2]
        given = {"PolicyName": "session-key"}
        if developer:
            iam.put_user_policy(UserName=user, **given, PolicyDocument=self._policy("kms:GenerateDataKey"))
        else:
            with contextlib.suppress(iam.exceptions.NoSuchEntityException):
                iam.delete_user_policy(UserName=user, **given)
        if node:
            iam.put_role_policy(RoleName=self.role, **given, PolicyDocument=self._policy("kms:Decrypt"))
        else:
            with contextlib.suppress(iam.exceptions.NoSuchEntityException):
                iam.delete_role_policy(RoleName=self.role, **given)

    def _policy(self, action: str) -> str:
        bound = {"StringEquals": {"kms:EncryptionContext:aws:ssm:TargetId": self.node}}
        statement = {"Effect": "Allow", "Action": action, "Resource": self.key, "Condition": bound}
        return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


_versions = itertools.count(1)


def preferences(key: str) -> str:
    """Each time another document: AWS takes no version that repeats one before."""
    inputs = {"s3BucketName": "", "cloudWatchLogGroupName": "", "kmsKeyId": key, "runAsEnabled": False}
    return json.dumps(
        {
            "schemaVersion": "1.0",
            "description": f"{next(_versions)}",
            "sessionType": "Standard_Stream",
            "inputs": inputs,
        }
    )


@pytest.fixture(scope="module")
def place(demo_cloud: DemoProcess) -> Iterator[Place]:
    administrator, developer = administrator_of(demo_cloud), developer_of(demo_cloud)
    key = administrator.client("kms").create_key(Description="sessions")["KeyMetadata"]["Arn"]
    reservations = administrator.client("ec2").describe_instances(Filters=[{"Name": "tag:Name", "Values": ["web-1"]}])[
        "Reservations"
    ]
    instance = reservations[0]["Instances"][0]
    profile = instance["IamInstanceProfile"]["Arn"].rpartition("/")[2]
    role = administrator.client("iam").get_instance_profile(InstanceProfileName=profile)
    administrator.client("ssm").create_document(
        Name=PREFERENCES, Content=preferences(key), DocumentType="Session", DocumentFormat="JSON"
    )
    name = role["InstanceProfile"]["Roles"][0]["RoleName"]
    place = Place(demo_cloud, administrator, developer, key, instance["InstanceId"], name)
    yield place
    place.allow(developer=False, node=False)
    administrator.client("ssm").delete_document(Name=PREFERENCES)
    administrator.close()
    developer.close()


@dataclass(slots=True)
class Wire:
    """Carries one websocket's bytes and keeps them: what somebody on the way can see."""

    seen: bytearray = field(default_factory=bytearray)
    port: int = 0
    far: int = 0

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.far)
        await asyncio.gather(self._pipe(reader, far_writer), self._pipe(far_reader, writer))

    async def _pipe(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError), contextlib.closing(writer):
            while data := await reader.read(65536):
                self.seen += data
                writer.write(data)

    def messages(self) -> list[Message]:
        """The agent's messages (a client's are masked), found by their header."""
        found, start = [], 0
        header = framing._HEADER_LENGTH.to_bytes(4, "big") + MessageType.OUTPUT.encode().ljust(32)
        while (start := self.seen.find(header, start)) >= 0:
            length = int.from_bytes(self.seen[start + 116 : start + 120], "big")
            found.append(framing.decode(bytes(self.seen[start : start + 120 + length])))
            start += 1
        return found


@contextlib.asynccontextmanager
async def wire(url: str) -> AsyncIterator[tuple[Wire, str]]:
    carried = Wire()
    server = await asyncio.start_server(carried.carry, "127.0.0.1", 0)
    carried.port = server.sockets[0].getsockname()[1]
    host = url.split("/")[2]
    carried.far = int(host.rpartition(":")[2])
    async with server:
        yield carried, url.replace(host, f"127.0.0.1:{carried.port}")


@contextlib.asynccontextmanager
async def plugin(place: Place, response: dict[str, Any], url: str) -> AsyncIterator[asyncio.subprocess.Process]:
    told = {name: response[name] for name in ("SessionId", "TokenValue")} | {"StreamUrl": url}
    environment = place.cloud.environment
    parameters = json.dumps({"Target": place.node})
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "ssm_tui.plugin", "AWS_SSM_START_SESSION_RESPONSE", environment["AWS_REGION"]),
        *("StartSession", "", parameters, environment["AWS_ENDPOINT_URL"]),
        env=environment | {"AWS_SSM_START_SESSION_RESPONSE": json.dumps(told), "PYTHONPATH": ":".join(sys.path)},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


async def shell(place: Place) -> tuple[bytes, int, list[Message], dict[str, Any]]:
    """A shell in which a secret is echoed, if it comes so far: what was shown, the status, the wire, the session."""
    response: dict[str, Any] = place.developer.client("ssm").start_session(Target=place.node)
    async with wire(response["StreamUrl"]) as (carried, url), plugin(place, response, url) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        shown = b""
        try:
            shown += await asyncio.wait_for(process.stdout.readuntil(b"$ "), 30)
            process.stdin.write(f"echo {SECRET}\nexit\n".encode())
        except asyncio.IncompleteReadError as refused:
            shown += refused.partial
        shown += await asyncio.wait_for(process.stdout.read(), 30)
        return shown, await process.wait(), carried.messages(), response


def ended(place: Place, session: dict[str, Any]) -> bool:
    filters = [{"key": "SessionId", "value": session["SessionId"]}]
    return bool(place.developer.client("ssm").describe_sessions(State="History", Filters=filters)["Sessions"])


async def test_an_encrypted_shell_works_and_nobody_on_the_way_reads_it(place: Place) -> None:
    place.allow()
    shown, status, messages, session = await shell(place)
    assert BEGUN in shown
    assert SECRET.encode() + b"\r\n" in shown
    assert status == 0
    output = [message for message in messages if message.payload_type == PayloadType.OUTPUT]
    assert output
    assert not any(b"$ " in message.payload or SECRET.encode() in message.payload for message in output)
    assert ended(place, session)


async def test_a_developer_without_the_key_is_told_so_in_one_line(place: Place) -> None:
    place.allow(developer=False)
    shown, status, _, session = await shell(place)
    line = shown.decode().strip().splitlines()[-1]
    assert line.startswith(
        f"Cannot perform start session: kms:GenerateDataKey with the key {place.key} failed: AccessDeniedException: "
    )
    assert f"is not authorized to perform: kms:GenerateDataKey on resource: {place.key}" in line
    assert status == 1
    assert BEGUN not in shown
    assert ended(place, session)


async def test_a_node_without_the_key_ends_the_session_in_the_agents_words(place: Place) -> None:
    place.allow(node=False)
    shown, status, _, session = await shell(place)
    text = shown.decode()
    words = (
        f"SessionId: {session['SessionId']} : \n----------ERROR-------\n"
        "Encountered error while initiating handshake. Fetching data key failed: Unable to retrieve data key, "
        f"Error when decrypting data key AccessDeniedException: User: arn:aws:sts::"
    )
    assert words in text
    assert f"assumed-role/{place.role}/{place.node} is not authorized to perform: kms:Decrypt" in text
    assert text.rstrip().endswith(f"its node's role needs kms:Decrypt with the key {place.key}")
    assert status == 1
    assert ended(place, session)


async def test_a_disabled_key_is_named(place: Place) -> None:
    place.allow()
    kms = place.administrator.client("kms")
    kms.disable_key(KeyId=place.key.rpartition("/")[2])
    try:
        shown, status, _, _ = await shell(place)
    finally:
        kms.enable_key(KeyId=place.key.rpartition("/")[2])
    assert shown.decode().rstrip().endswith(f"failed: DisabledException: {place.key} is disabled.")
    assert status == 1


async def test_preferences_are_in_force_as_soon_as_they_are_updated(place: Place) -> None:
    place.allow(developer=False, node=False)
    ssm = place.administrator.client("ssm")

    def update(key: str) -> None:
        ssm.update_document(
            Name=PREFERENCES, Content=preferences(key), DocumentVersion="$LATEST", DocumentFormat="JSON"
        )

    update("")
    try:
        shown, status, messages, _ = await shell(place)
    finally:
        update(place.key)
    assert BEGUN not in shown
    assert SECRET.encode() in shown
    assert status == 0
    assert any(SECRET.encode() in message.payload for message in messages)
    assert (
        json.loads(ssm.get_document(Name=PREFERENCES, DocumentVersion="$LATEST")["Content"])["inputs"]["kmsKeyId"]
        == place.key
    )


def test_a_key_is_used_by_those_alone_who_may(place: Place) -> None:
    place.allow()
    kms = place.developer.client("kms")
    asked = {"KeyId": place.key, "NumberOfBytes": 64}
    context = {"aws:ssm:SessionId": "s", "aws:ssm:TargetId": place.node}
    answer = kms.generate_data_key(**asked, EncryptionContext=context)
    with pytest.raises(ClientError, match="AccessDeniedException"):
        kms.generate_data_key(**asked, EncryptionContext=context | {"aws:ssm:TargetId": "i-another"})
    with pytest.raises(ClientError, match=f"kms:Decrypt on resource: {place.key}"):
        kms.decrypt(CiphertextBlob=answer["CiphertextBlob"], EncryptionContext=context)
    read = place.administrator.client("kms").decrypt(CiphertextBlob=answer["CiphertextBlob"], EncryptionContext=context)
    assert read["Plaintext"] == answer["Plaintext"]
