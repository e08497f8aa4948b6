"""The wire endpoint: every call is authenticated and authorised here, then answered by us or, mostly, by moto.

Handlers run in the web server's threads. One lock keeps moto's state whole, since moto was not written for threads.
"""

from __future__ import annotations

import re
import sys
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

from ssm_tui.demo import database_calls, documents, kms, simulation
from ssm_tui.demo.answers import Answer, AwsFault, fault_answer, json_answer
from ssm_tui.demo.authorization import authenticate, authorize
from ssm_tui.demo.ecs_calls import EcsCalls
from ssm_tui.demo.ecs_execute import EXECUTE, ExecCalls
from ssm_tui.demo.fault_control import INJECT, LIST_SESSIONS
from ssm_tui.demo.identity_center import BEARER
from ssm_tui.demo.instance_connect import SEND_KEY
from ssm_tui.demo.listings import check_instance_ids, check_page
from ssm_tui.demo.node_access import (
    DECIDE_REQUEST,
    GET_TOKEN,
    LIST_REQUESTS,
    START_REQUEST,
    SWITCH_ACCESS,
    AccessCalls,
)
from ssm_tui.demo.organization import PUT_CONTROL, put_service_control_policy
from ssm_tui.demo.role_sessions import assume_role, get_caller_identity, get_session_token
from ssm_tui.demo.ssm_nodes import NodeCalls
from ssm_tui.demo.tagging import GET_RESOURCES, TaggingCalls
from ssm_tui.demo.validation import validate
from ssm_tui.demo.wire import protocol_of, read_request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from ssm_tui.demo.fault_control import FaultControl
    from ssm_tui.demo.identity_center import IdentityCenter
    from ssm_tui.demo.instance_connect import InstanceConnectCalls
    from ssm_tui.demo.principals import Principal
    from ssm_tui.demo.ssm_sessions import SessionCalls
    from ssm_tui.demo.wire import WireRequest

    Handler = Callable[[WireRequest, Principal], Answer | None]

# They are authorised on more than the call's parameters tell: documents, tags, the user to log in as.
_CHECKED_BY_THEMSELVES = frozenset({"ssm:StartSession", SEND_KEY, EXECUTE, START_REQUEST})
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_STATUS = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 413: "Too Large"}


@dataclass(slots=True)
class Endpoint:
    """The WSGI application."""

    sessions: SessionCalls
    state: threading.Lock
    control: FaultControl
    connect: InstanceConnectCalls
    identity: IdentityCenter | None = None
    _handlers: Mapping[str, Handler] = field(init=False)
    _moto: Any = field(init=False)

    def __post_init__(self) -> None:
        nodes, access = NodeCalls(self.sessions.registry), AccessCalls(self.sessions.registry)
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._handlers = {
            "ssm:DescribeInstanceInformation": nodes.describe_instance_information,
            "ssm:DescribeInstanceProperties": nodes.describe_instance_properties,
            "ssm:GetConnectionStatus": nodes.get_connection_status,
            "ssm:AddTagsToResource": nodes.add_tags_to_resource,
            "ssm:RemoveTagsFromResource": nodes.remove_tags_from_resource,
            "ssm:ListTagsForResource": nodes.list_tags_for_resource,
            GET_RESOURCES: TaggingCalls(self.sessions.registry).get_resources,
            SEND_KEY: self.connect.send_ssh_public_key,
            "ssm:DescribeSessions": self.sessions.describe_sessions,
            "iam:SimulatePrincipalPolicy": simulation.simulate_principal_policy,
            "iam:GetContextKeysForPrincipalPolicy": simulation.context_keys_for_principal_policy,
            "iam:PutUserPermissionsBoundary": simulation.put_user_permissions_boundary,
            "iam:DeleteUserPermissionsBoundary": simulation.delete_user_permissions_boundary,
            "sts:AssumeRole": assume_role,
            "sts:GetSessionToken": get_session_token,
            "sts:GetCallerIdentity": get_caller_identity,
            START_REQUEST: access.start_access_request,
            GET_TOKEN: access.get_access_token,
            LIST_REQUESTS: access.list_requests,
            DECIDE_REQUEST: access.decide_request,
            SWITCH_ACCESS: access.switch_access,
            PUT_CONTROL: put_service_control_policy,
            **EcsCalls().handlers(),
            **database_calls.handlers(),
        }

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        protocol = protocol_of(environ)
        try:
            if self.identity is not None and (unsigned := self.identity.answer(environ)) is not None:
                return _written(unsigned, start_response)
            request = read_request(environ)
            protocol = request.protocol
            _check_text(request)
            answer = self._answer(request)
        except AwsFault as fault:
            answer = fault_answer(fault, protocol)
        if answer is None:
            # Moto renders its answer while it is read, so the lock is held until the last byte is there.
            with self.state:
                return list(self._moto(environ, start_response))
        return _written(answer, start_response)

    def _answer(self, request: WireRequest) -> Answer | None:
        """Our own answer, or None where moto is to give it."""
        with self.state:
            caller = authenticate(request)
        if (hindered := self.control.hinder(request)) is not None:
            return hindered
        with self.state:
            if request.action not in _CHECKED_BY_THEMSELVES:
                authorize(request, caller)
            check_page(request)
            check_instance_ids(request)
            kms.check_enabled(request, caller.account)
            if request.service == "ssm":
                validate("ssm", request.operation, request.json())
            if (handler := self._handlers.get(request.action)) is not None:
                return handler(request, caller)
            if request.action in ("ssm:DescribeDocument", "ssm:GetDocument"):
                return _owned_document(request, caller)
        asking = {
            "ssm:StartSession": self.sessions.start_session,
            "ssm:ResumeSession": self.sessions.resume_session,
            "ssm:TerminateSession": self.sessions.terminate_session,
            EXECUTE: ExecCalls(self.sessions).execute_command,
            INJECT: self.control.inject,
            LIST_SESSIONS: self.control.list_sessions,
        }.get(request.action)
        return asking(request, caller) if asking is not None else None


def _written(answer: Answer, start_response: Callable[..., Any]) -> list[bytes]:
    headers = [("Content-Type", answer.content_type), ("Content-Length", str(len(answer.body))), *answer.headers]
    start_response(f"{answer.status} {_STATUS.get(answer.status, 'Error')}", headers)
    return [answer.body]


def _check_text(request: WireRequest) -> None:
    """Control characters cannot come back in XML, so the services that answer in it do not take them."""
    for name, value in request.form.items():
        if _NOT_XML.search(value):
            raise AwsFault("InvalidParameterValue", f"Value for parameter {name} contains invalid characters.")


def _owned_document(request: WireRequest, caller: Principal) -> Answer | None:
    """The documents that AWS owns, which moto does not ship; the account's own are moto's."""
    name = request.json()["Name"]
    if not documents.is_aws_owned(name) or documents.is_kept(name, caller.account, request.region):
        return None
    return json_answer(documents.described(request.operation, name, caller.account, request.region))


class _Quiet(MotoRequestHandler):
    """Serves without a log line a request, and keeps connections open as AWS does."""

    protocol_version = "HTTP/1.1"

    def make_environ(self) -> dict[str, Any]:
        environ: dict[str, Any] = super().make_environ()
        # Werkzeug leaves out headers whose names it could mistake for others.
        environ[BEARER] = self.headers.get("x-amz-sso_bearer_token", "")
        return environ

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 -- werkzeug's name
        if type == "error":
            sys.stderr.write(f"demo cloud: {message % args if args else message}\n")


@dataclass(slots=True)
class WireServer:
    """The endpoint on a free loopback port, in threads of its own."""

    endpoint: Endpoint
    _server: Any = None
    _thread: threading.Thread | None = None

    def start(self) -> str:
        """Listens and returns the endpoint's URL."""
        self._server = make_server("127.0.0.1", 0, self.endpoint, threaded=True, request_handler=_Quiet)
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, name="aws", daemon=True
        )
        self._thread.start()
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
        if self._thread is not None:
            self._thread.join(timeout=5)
