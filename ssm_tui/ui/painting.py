"""A screen that can paint at once what a key has led to. The one place that reaches into how Textual paints."""

from __future__ import annotations

from textual.screen import Screen


class PaintingScreen(Screen[None]):
    """Textual's widgets tell their screen by messages that they have changed, and it paints at the next of its frames:
    10 to 30 ms after a key, of which most is waiting."""

    def paint(self) -> None:
        """Now. Their messages, when they come, find nothing left to paint."""
        self._dirty_widgets.update(self._compositor.visible_widgets)
        self._on_timer_update()
