"""What reading leaves behind: descriptions of services are not looked through again and again for garbage."""

from __future__ import annotations

import gc

from ssm_tui.aws.footprint import service_loaded


def test_what_stays_is_taken_from_the_collector_once_a_service() -> None:
    before = gc.get_freeze_count()
    description = [[at] for at in range(10_000)]
    try:
        service_loaded("of this test")
        frozen = gc.get_freeze_count()
        assert frozen - before >= len(description)
        later = [[at] for at in range(10_000)]
        service_loaded("of this test")
        assert gc.get_freeze_count() < frozen + len(later)
    finally:
        gc.unfreeze()
