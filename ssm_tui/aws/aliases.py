"""Accounts by the names that people gave them (IAM ListAccountAliases): asked once an account, never an error."""

from __future__ import annotations

import threading
from collections import defaultdict
from typing import TYPE_CHECKING

from ssm_tui.errors import AwsError

if TYPE_CHECKING:
    from ssm_tui.aws.gateway import Gateway


class Aliases:
    """Safe to ask from several threads."""

    def __init__(self) -> None:
        self._known: dict[str, str | None] = {}
        self._asking: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def of(self, account: str, gateway: Gateway) -> str | None:
        """The account's alias; None where it has none, or AWS does not say. Blocks."""
        with self._asking[account]:
            if account not in self._known:
                self._known[account] = _ask(gateway)
            return self._known[account]


def _ask(gateway: Gateway) -> str | None:
    try:
        answer = gateway.call("iam", "list_account_aliases")
    except AwsError:
        return None
    from ssm_tui.aws import decode

    return next(iter(decode.texts(answer.get("AccountAliases"))), None)
