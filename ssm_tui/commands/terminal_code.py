"""The question for an MFA code on the terminal, for commands. Codes are good once: they are shown as they are typed."""

from __future__ import annotations

import getpass
import os
from typing import TYPE_CHECKING

from ssm_tui.domain.signing import CODE_LENGTH, is_code

if TYPE_CHECKING:
    from collections.abc import Callable

    from ssm_tui.domain.signing import CodeQuestion

TERMINAL = "/dev/tty"


def ask_code(question: CodeQuestion, answer: Callable[[str | None], None]) -> None:
    """Asks until something like a code is typed; an empty line, or the end of input, answers with None."""
    trouble = f"{question.trouble}\n" if question.trouble else ""
    words = f"{trouble}MFA code for {question.profile or 'the default profile'}, device {question.serial}: "
    while (typed := _ask(words)) and not is_code(typed):
        words = f"an MFA code has {CODE_LENGTH} digits; the code: "
    answer(typed or None)


def _ask(words: str) -> str:
    if os.name == "nt":
        return getpass.getpass(words).strip()
    try:
        # Not by stdin's buffer: a thread that waits there would hold it for ever where Ctrl-C ends the program.
        terminal = os.open(TERMINAL, os.O_RDWR | os.O_NOCTTY)
    except OSError:
        return ""
    try:
        os.write(terminal, words.encode())
        return os.read(terminal, 1024).decode(errors="replace").strip()
    finally:
        os.close(terminal)
