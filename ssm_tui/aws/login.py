"""One profile's credentials, shared by all its contexts: one botocore session, so that several regions of a profile
fetch them once and ask for an MFA code once."""

from __future__ import annotations

import threading
from functools import cache
from typing import Any

from ssm_tui.aws import prompts
from ssm_tui.aws.descriptions import DescriptionFiles
from ssm_tui.aws.lean import LeanParserFactory
from ssm_tui.aws.signature import NO_SIGNATURE, Signature, signature_of


class Login:
    """Makes clients that sign with the profile's credentials. Nothing is loaded before the first."""

    def __init__(self, profile: str | None, desk: prompts.CodeDesk | None = None) -> None:
        self._profile = profile
        self._desk = desk or prompts.CodeDesk()
        self._session: Any = None
        # botocore's sessions are not safe to create clients from in several threads; its clients are safe to use.
        self._creating = threading.Lock()

    def client(self, service: str, region: str, config: Any) -> Any:
        """A client of botocore's. Raises what botocore raises."""
        with self._creating:
            return self._opened(region).create_client(service, region_name=region, config=config)

    def presigned(self, service: str, region: str, url: str, seconds: int) -> str:
        """The URL signed in its query by Signature Version 4. Raises what botocore raises."""
        from botocore.model import ServiceId
        from botocore.signers import RequestSigner

        with self._creating:
            session = self._opened(region)
            credentials, events = session.get_credentials(), session.get_component("event_emitter")
        signer = RequestSigner(ServiceId(service), region, service, "v4", credentials, events)
        request = {"method": "GET", "url": url, "headers": {}, "body": {}, "context": {}}
        return str(signer.generate_presigned_url(request, "connect", expires_in=seconds))

    def _opened(self, region: str) -> Any:
        if self._session is None:
            self._session = self._open(region)
        return self._session

    def signature(self) -> Signature:
        """How the clients sign. Raises what botocore raises."""
        with self._creating:
            return NO_SIGNATURE if self._session is None else signature_of(self._session)

    def _open(self, region: str) -> Any:
        from botocore.session import Session

        session = Session(profile=self._profile)
        # For the calls that botocore makes itself: an assumed role's come from STS in this region. The profile's own,
        # for one of the others that are read may be one that the account has not enabled.
        own = session.get_config_variable("region")
        session.set_config_variable("region", own if own and _together(session, own, region) else region)
        session.register_component("data_loader", _loader())
        session.register_component("response_parser_factory", LeanParserFactory())
        prompts.settle(session, self._profile, self._desk)
        return session


def _together(session: Any, one: str, other: str) -> bool:
    """Whether two regions are of the same partition."""
    from botocore.exceptions import UnknownRegionError

    try:
        return bool(session.get_partition_for_region(one) == session.get_partition_for_region(other))
    except UnknownRegionError:
        return False


@cache
def _loader() -> Any:
    """One reader of AWS's service descriptions for all contexts: parsing EC2's alone takes 0.2 s."""
    from botocore.loaders import Loader

    return Loader(file_loader=DescriptionFiles(), include_default_search_paths=True)
