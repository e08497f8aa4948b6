"""Messages and their end: none may hang the program."""

from __future__ import annotations

from time import time

from textual.widgets._toast import Toast

from ssm_tui.ui.toasts import LastingNotification
from tests.ui.fleet import small_world
from tests.ui.screen import started


def test_what_has_expired_is_not_shown_and_has_a_moment_where_it_is() -> None:
    over = LastingNotification("over", raised_at=time() - 9)
    assert over.has_expired
    assert over.time_left > 0
    assert not LastingNotification("now").has_expired


async def test_a_toast_made_of_a_message_that_has_just_expired_goes_away() -> None:
    async with started(small_world()) as person:
        person.app.notify("first", timeout=60)
        await person.is_told("first")
        (notification,) = person.app._notifications
        assert isinstance(notification, LastingNotification)
        notification.raised_at -= 60.00001
        await person.app.screen.mount(Toast(notification))
        await person.until(lambda: len(person.app.screen.query("Toast")) == 1)
        await person.press("2")
        await person.sees("ledger/writer")
