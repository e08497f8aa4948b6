"""What looks like a secret is taken out of texts of others before they are shown, logged or kept. Pure."""

from __future__ import annotations

import re
from typing import Final

HIDDEN: Final = "…"
"""What stands where a secret was."""

# The patterns are compiled when the first text comes, by `re`, which keeps them: a start needs none of them.
# Every repetition before a sign has its bound: foreign text must not be able to make a search take long.
# password=x, "SecretAccessKey": "x", X-Amz-Security-Token=x&…, PGPASSWORD='x y': a name that says what its value is.
_WORD = r"(?:password|passwd|passphrase|pwd|secret|token|credentials?|signature|authorization|api_?key|access_?key)"
_QUOTED = r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'"
_ASSIGNED: Final = rf"(?i)(?P<name>[\w.-]{{0,40}}{_WORD}[\w.-]{{0,40}}[\"']?\s*=\s*)(?P<value>{_QUOTED}|[^\s&;,\"']+)"
# With a colon it may be a sentence ("ExpiredToken: sign in again"): a quoted value is taken, or a plain one of few.
_QUOTED_AFTER_COLON: Final = rf"(?i)(?P<name>[\w.-]{{0,40}}{_WORD}[\w.-]{{0,40}}[\"']?\s*:\s*)(?P<value>{_QUOTED})"
_PLAIN_AFTER_COLON: Final = (
    r"(?i)(?P<name>\b(?:password|passwd|passphrase|SecretAccessKey|SessionToken|TokenValue)[\"']?\s*:\s*)"
    r"(?P<value>[^\s,;\"'][^\s,;]*)"
)
_AUTHORIZATION: Final = r"(?i)(?P<name>\bauthorization[\"']?\s*[:=]\s*[\"']?|\bbearer\s+)(?P<value>[^\r\n\"']+)"
_OF_URL: Final = r"(?i)(?P<name>\b[a-z][a-z0-9+.-]{0,30}://[^\s/:@]{0,200}:)(?P<value>[^\s/]{1,2000}(?=@))"
_PEM: Final = (
    r"(?s)(?P<name>-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----)(?P<value>.*?)(?=-----END [A-Z0-9 ]*PRIVATE KEY-----|\Z)"
)
_NAMED: Final = (_PEM, _AUTHORIZATION, _OF_URL, _ASSIGNED, _QUOTED_AFTER_COLON, _PLAIN_AFTER_COLON)

# Ids of keys of users, roles and sessions (IAM User Guide, "IAM identifiers", unique ids).
_KEY_ID: Final = r"\b(?:AKIA|ASIA)[A-Z0-9]{12,}\b"
_JWT: Final = r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*"
# A secret access key is 40 characters of base64, a session's token hundreds.
_BASE64: Final = r"[A-Za-z0-9+/_-]{40,}={0,2}"
_WORDS: Final = r"[A-Z]?[a-z]{3,}|[A-Z]{3,}|[-/_]|(?<![0-9A-Za-z])[0-9]+|[0-9a-f]{8,}"
# Of a path or a long name nearly all is words; of random base64 four tenths.
_MOSTLY_WORDS: Final = 0.75


def redacted(text: str) -> str:
    """The text without what looks like a password, a token, a private key or an AWS key; the rest as it was."""
    for pattern in _NAMED:
        text = re.sub(pattern, rf"\g<name>{HIDDEN}", text)
    for pattern in (_KEY_ID, _JWT):
        text = re.sub(pattern, HIDDEN, text)
    return re.sub(_BASE64, lambda found: HIDDEN if _random(found[0]) else found[0], text)


def _random(run: str) -> bool:
    """Whether a long run of base64's characters is no path, name or hexadecimal digest."""
    if not (re.search("[a-z]", run) and re.search("[A-Z]", run) and re.search("[0-9]", run)):
        return False
    return sum(len(word) for word in re.findall(_WORDS, run)) < _MOSTLY_WORDS * len(run)
