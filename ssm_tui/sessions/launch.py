"""From a session spec to the process that holds the session, by the launcher and plugin that were chosen."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from ssm_tui.domain.sessions import Command, SessionSpec, StartedSession, aws_argv
from ssm_tui.errors import PrerequisiteError
from ssm_tui.sessions import prerequisites
from ssm_tui.sessions.prerequisites import LauncherChoice

if TYPE_CHECKING:
    from pathlib import Path

    from ssm_tui.domain.just_in_time import TemporaryKeys
    from ssm_tui.domain.services import Clouds, Grants
    from ssm_tui.sessions.prerequisites import PluginChoice

TOKEN_VARIABLE = "AWS_SSM_START_SESSION_RESPONSE"  # noqa: S105 - the variable's name, fixed by AWS's plugin


class Launcher:
    """Implements `Shells` (ssm_tui.domain.services) and serves the tunnels too.

    `folder` is where the starter of our plugin may be written (per user, kept between runs); `grants` opens sessions
    under granted keys.
    """

    def __init__(
        self,
        clouds: Clouds,
        launcher: LauncherChoice,
        plugin: PluginChoice,
        folder: Path,
        grants: Grants | None = None,
    ) -> None:
        self._clouds = clouds
        self._grants = grants
        self._launcher = launcher
        self._plugin = plugin
        self._folder = folder

    def prepare(self, spec: SessionSpec, keys: TemporaryKeys | None = None) -> Command:
        """The process for the session. Blocks: the direct launcher calls StartSession here.

        Raises PrerequisiteError, and AwsError from StartSession. The AWS CLI makes that call itself, later.

        A shell in a container is started without the AWS CLI unless the settings insist on it: `ecs execute-command`
        gives the token to the plugin on the command line, and prints it where the plugin fails.

        With `keys` the call is signed by them, and they are in the environment of the process alone: a profile that is
        named to the AWS CLI would stand before them, so it is named there too.
        """
        if keys is not None:
            return self._granted(spec, keys)
        launcher = self._launcher
        if spec.command and launcher is LauncherChoice.AUTO:
            launcher = LauncherChoice.DIRECT
        programs = prerequisites.find(launcher, self._plugin)
        if programs.aws is not None:
            environment = {"AWS_PAGER": ""}
            if programs.plugin is None:
                environment["PATH"] = prerequisites.plugin_on_path(self._folder)
            return Command(tuple(aws_argv(spec, programs.aws)), environment)
        started = self._clouds.open(spec.context).start_session(spec)
        return plugin_command(spec, started, programs.plugin)

    def _granted(self, spec: SessionSpec, keys: TemporaryKeys) -> Command:
        programs = prerequisites.find(self._launcher, self._plugin)
        # Named in the environment instead.
        plain = replace(spec, context=replace(spec.context, profile=None))
        environment = keys.environment(spec.context.profile)
        if programs.aws is not None:
            path = {} if programs.plugin else {"PATH": prerequisites.plugin_on_path(self._folder)}
            return Command(tuple(aws_argv(plain, programs.aws)), {"AWS_PAGER": "", **path, **environment})
        if self._grants is None:
            raise PrerequisiteError("nothing here opens sessions under granted keys", "choose another launcher")
        started = self._grants.opened(spec.context, keys).start_session(spec)
        command = plugin_command(plain, started, programs.plugin)
        return replace(command, environment={**command.environment, **environment})


def plugin_command(spec: SessionSpec, started: StartedSession, plugin: str | None) -> Command:
    """The plugin's process for a started session: AWS's at the path `plugin`, or ours where it is None.

    The argv is the one that the AWS CLI gives (awscli/customizations/sessionmanager.py). The token goes by the
    environment unless AWS's plugin is too old to look there.
    """
    answer = json.dumps({"SessionId": started.session_id, "TokenValue": started.token, "StreamUrl": started.stream_url})
    request: dict[str, object] = {"Target": spec.target}
    if spec.document:
        request["DocumentName"] = spec.document
        request["Parameters"] = {key: list(values) for key, values in spec.parameters.items()}
    program = prerequisites.our_plugin() if plugin is None else (plugin,)
    by_environment = plugin is None or prerequisites.takes_token_from_environment(plugin)
    argv = (
        *program,
        TOKEN_VARIABLE if by_environment else answer,
        spec.context.region,
        "StartSession",
        spec.context.profile or "",
        json.dumps(request),
        started.endpoint,
    )
    return Command(argv, {TOKEN_VARIABLE: answer} if by_environment else {}, started.session_id)
