"""A Textual app with the home screen's widgets and nothing behind them: the yardstick of the first paint."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import App

from ssm_tui.ui.actions import Action
from ssm_tui.ui.presentation.contexts import Notice
from ssm_tui.ui.presentation.tunnels import TunnelRow
from ssm_tui.ui.screens.board import Board


class EmptyBoard(Board):
    """The home screen's widgets."""

    def _tunnel_rows(self) -> Sequence[TunnelRow]:
        return ()

    def _more_notices(self) -> tuple[Notice, ...]:
        return ()

    def offered(self, action: Action) -> bool:
        return not action.footer

    def on_mount(self) -> None:
        self._show_state()


class Empty(App[None]):
    """One screen."""

    def get_default_screen(self) -> EmptyBoard:
        from ssm_tui.ui.services import Services

        nothing = Services(clouds=None, shells=None, tunnels=None, clipboard=None, hand_over=None)  # type: ignore[arg-type]  # nothing is asked of it
        return EmptyBoard(nothing, "")


if __name__ == "__main__":
    Empty().run()
