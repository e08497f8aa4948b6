"""The environment that leads a program to the demo cloud, and keeps the user's own AWS set-up out of it."""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ssm_tui.demo import callers

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

READY = "# ready"
"""The line after the exports that tells `DemoProcess` that they are complete; nobody else is shown it."""

CA_BUNDLE = "demo-bundle.pem"


@dataclass(frozen=True, slots=True)
class Access:
    """What a client needs to know about a running cloud."""

    url: str
    region: str
    account: str
    developer: tuple[str, str] = field(repr=False)
    administrator: tuple[str, str] = field(repr=False)
    psql: Path
    database_password: str = field(repr=False)
    ca_bundle: bytes = b""
    """The certificates that the databases' are signed by, in PEM."""


def write_files(folder: Path, access: Access) -> None:
    """AWS files of the demo's own: the developer as `default` and by name, the administrator by name; and profiles
    that sign in otherwise. Beside them the bundle of certificates that AWS has for download."""
    keys = {
        "default": access.developer,
        "developer": access.developer,
        "administrator": access.administrator,
    }
    credentials = "".join(
        f"[{name}]\naws_access_key_id = {key}\naws_secret_access_key = {secret}\n\n"
        for name, (key, secret) in keys.items()
    )
    settings = f"region = {access.region}\nendpoint_url = {access.url}\n\n"
    config = "".join(f"[{name if name == 'default' else f'profile {name}'}]\n{settings}" for name in keys)
    config += callers.profiles(access.account, access.region, access.url)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, text in (("credentials", credentials), ("config", config)):
        path = folder / name
        path.touch(mode=0o600)
        path.write_text(text, encoding="utf-8")
    (folder / CA_BUNDLE).write_bytes(access.ca_bundle)


def exports(access: Access, folder: Path, inherited: Mapping[str, str]) -> dict[str, str]:
    """Every variable to set. `inherited` is the user's environment: what could lead astray in it is overridden."""
    local = "127.0.0.1,localhost"
    kept = inherited.get("NO_PROXY") or inherited.get("no_proxy")
    no_proxy = f"{kept},{local}" if kept else local
    named = {
        "AWS_ENDPOINT_URL": access.url,
        "AWS_REGION": access.region,
        "AWS_DEFAULT_REGION": access.region,
        "AWS_ACCESS_KEY_ID": access.developer[0],
        "AWS_SECRET_ACCESS_KEY": access.developer[1],
        # A token of the user's would be sent along with the demo's keys; empty means none.
        "AWS_SESSION_TOKEN": "",
        "AWS_SECURITY_TOKEN": "",
        # A profile of the user's would not be found in the demo's files.
        "AWS_PROFILE": "default",
        "AWS_DEFAULT_PROFILE": "default",
        "AWS_CONFIG_FILE": str(folder / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(folder / "credentials"),
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "false",
        "AWS_USE_FIPS_ENDPOINT": "false",
        "AWS_USE_DUALSTACK_ENDPOINT": "false",
        "AWS_PAGER": "",
        "DEMO_ADMIN_ACCESS_KEY_ID": access.administrator[0],
        "DEMO_ADMIN_SECRET_ACCESS_KEY": access.administrator[1],
        "DEMO_PSQL": str(access.psql),
        "DEMO_DB_PASSWORD": access.database_password,
        "SSM_TUI_CA_BUNDLE": str(folder / CA_BUNDLE),
        "NO_PROXY": no_proxy,
        "no_proxy": no_proxy,
    }
    astray = {name: access.url for name in inherited if name.startswith("AWS_ENDPOINT_URL_")}
    return astray | named


def isolate() -> None:
    """Takes the user's AWS set-up and proxies out of this process, before any AWS library is imported."""
    for name in list(os.environ):
        if name.startswith("AWS_") or name.lower().endswith("_proxy"):
            del os.environ[name]
    os.environ["AWS_CONFIG_FILE"] = os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull
    os.environ["AWS_EC2_METADATA_DISABLED"] = "true"


def shell_lines(variables: Mapping[str, str]) -> list[str]:
    """The variables as a shell reads them, and as plain as it lets them be: others take what stands behind the `=`."""
    return [f"export {name}={shlex.quote(value) if value else ''}" for name, value in variables.items()]


def read_line(line: str) -> tuple[str, str] | None:
    """One line of `shell_lines` back; None for any other line."""
    words = shlex.split(line)
    if len(words) != 2 or words[0] != "export" or "=" not in words[1]:
        return None
    name, _, value = words[1].partition("=")
    return name, value
