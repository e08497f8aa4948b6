"""OpenSSH's side of a node: the entries of an ssh_config that lead through our proxy, and public keys."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ssm_tui.domain.nodes import Ping, Platform
from ssm_tui.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ssm_tui.domain.contexts import Context
    from ssm_tui.domain.nodes import Node

# What neither ssh's own check of host names (valid_hostname in OpenSSH's misc.c) nor a pattern of ssh_config(5), scp's
# `host:path` and `user@host` give another meaning. Beyond ASCII whatever can be seen.
_PLAIN = re.compile(r"[A-Za-z0-9._+#=,%-]")
_LONGEST = 255
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@+-]{0,31}")
_PUBLIC_KEY = re.compile(r"(?:ssh-|ecdsa-|sk-)[A-Za-z0-9@.-]+ [A-Za-z0-9+/=]+(?: [^\n]*)?")
_OWN_LINE = re.compile(r"[\x20-\x7e\xa1-\U0010ffff]+")


@dataclass(frozen=True, slots=True)
class Entry:
    """One Host block: the patterns, the settings in their order."""

    patterns: tuple[str, ...]
    settings: tuple[tuple[str, str], ...]

    def lines(self) -> Iterable[str]:
        """As ssh_config(5) has it."""
        yield f"Host {' '.join(map(_quoted, self.patterns))}"
        yield from (f"    {keyword} {value}" for keyword, value in self.settings)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A node whose name has no place in the configuration (it can still be reached by its id), and why."""

    node: Node
    why: str


@dataclass(frozen=True, slots=True)
class Means:
    """How ssh gets to nodes: the words that our program begins with, the user to log in as, the key to push (an
    absolute path), and what the names of hosts begin with here."""

    program: tuple[str, ...] = ("ssm-tui",)
    user: str = ""
    push_key: str = ""
    prefix: str = ""


def entries(nodes: Sequence[Node], means: Means) -> tuple[list[Entry], list[LeftOut]]:
    """A block for each node that ssh can be used with, which containers are not, by name and id. Raises UsageError for
    what ssh_config cannot carry of the user's own words."""
    usable = [
        node
        for node in nodes
        if node.platform is not Platform.WINDOWS and node.ping is not Ping.UNMANAGED and not node.container
    ]
    names = Counter(node.name for node in usable)
    ids = {node.id for node in usable}
    found: list[Entry] = []
    left_out: list[LeftOut] = []
    for node in usable:
        name = f"{means.prefix}{node.name}" if node.name else node.id
        why = "" if name == node.id else _obstacle(name, ids, shared=names[node.name] > 1)
        if why:
            left_out.append(LeftOut(node, why))
        found.append(_entry(node, () if why or name == node.id else (name,), means))
    return found, left_out


def any_node(options: Sequence[str], means: Means) -> Entry:
    """The block for every id, known or not. `options` choose profiles and regions."""
    return Entry(("i-*", "mi-*"), _settings(options, means))


def context_options(context: Context) -> tuple[str, ...]:
    """The options by which the context alone is in force."""
    profile = ("--profile", context.profile) if context.profile else ()
    return (*profile, "--region", context.region)


def _entry(node: Node, named: tuple[str, ...], means: Means) -> Entry:
    own = (("HostName", node.id), ("HostKeyAlias", node.id))
    return Entry((*named, node.id), own + _settings(context_options(node.context), means))


def _settings(options: Sequence[str], means: Means) -> tuple[tuple[str, str], ...]:
    user = (("User", checked_user(means.user)),) if means.user else ()
    command = [*map(_word, (*means.program, "proxy")), "%h", "%p", *map(_word, options)]
    if means.push_key:
        command += ["--push-key", _word(means.push_key), "--user", "%r"]
    return (*user, ("ProxyCommand", " ".join(command)))


def _obstacle(name: str, ids: set[str], *, shared: bool) -> str:
    """Why the name cannot stand for its node; empty where it can."""
    if shared:
        return "several nodes have this name"
    if name in ids:
        return "it is the id of another node"
    if len(name.encode(errors="replace")) > _LONGEST:
        return "it is too long for a host name"
    if name[0] in "-#=" or not all(map(_carried, name)):
        return "it has characters that mean something else to ssh, or cannot be seen"
    return ""


def _carried(character: str) -> bool:
    if character.isascii():
        return bool(_PLAIN.fullmatch(character))
    return character.isprintable() and not character.isspace()


def _quoted(pattern: str) -> str:
    return pattern if re.fullmatch(r"[A-Za-z0-9.*_-]+", pattern) else f'"{pattern}"'


def _word(text: str) -> str:
    """One word of a ProxyCommand: quoted for the shell that runs it, and percent signs for ssh."""
    # ssh reads quotes and backslashes of the line in its own way before the shell does: these two it would misread.
    if not _OWN_LINE.fullmatch(text) or any(character in text for character in "'\\"):
        raise UsageError(f"an ssh configuration cannot carry {text!r}", "rename it: no quotes, no backslashes")
    return shlex.quote(text).replace("%", "%%")


def checked_user(user: str) -> str:
    """The user itself; UsageError for what is no name of a user."""
    if not _USER.fullmatch(user):
        raise UsageError(f"{user!r} is not a user's name", "such as ec2-user, ubuntu or admin")
    return user


def checked_public_key(text: str, where: str) -> str:
    """The one public key in a file's text. Raises UsageError: what is not one is never sent, and never shown."""
    key = text.strip()
    if _PUBLIC_KEY.fullmatch(key):
        return key
    hint = "name the public half: it ends in .pub" if "PRIVATE KEY" in text else "make one with: ssh-keygen -t ed25519"
    raise UsageError(f"{where} holds no public key", hint)
