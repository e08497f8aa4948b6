"""What a user waits for at the prompt, each beside a command of the same kind."""

from __future__ import annotations

from benchmarks.measuring import AWS, PYTHON, SSM_TUI, environment_of, milliseconds, row, run, title
from ssm_tui.demo.runner import DemoProcess


def main() -> None:
    """Starting, and listing."""
    title("commands")
    row(
        "--version, to python -c pass",
        lambda: milliseconds(lambda: run(*SSM_TUI, "--version")),
        lambda: milliseconds(lambda: run(PYTHON, "-c", "pass")),
    )
    with DemoProcess() as cloud:
        environment = environment_of(cloud.environment)
        row(
            "ls with access, to aws ec2 describe-instances",
            lambda: milliseconds(lambda: run(*SSM_TUI, "ls", environment=environment)),
            lambda: milliseconds(lambda: run(AWS, "ec2", "describe-instances", environment=environment)),
        )
