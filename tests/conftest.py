"""Fixtures that tests of several parts share."""

from tests.demo_cloud import demo_cloud

__all__ = ["demo_cloud"]
