"""What botocore and moto read and look up again and again, remembered: 1.5 s of the start, and nothing of the answers.

For this process alone, and before anything else in it imports moto.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_OFFERINGS = "ec2/resources/instance_type_offerings"


def remember_botocore() -> None:
    """Every session and each of moto's readers has caches of its own; moto makes eight sessions while it starts, and a
    reader for every service."""
    from botocore.loaders import JSONFileLoader, Loader

    # A list of services looks at 9,000 files, the model of EC2 takes 0.15 s and the endpoint data 0.1 s.
    for name in ("list_available_services", "load_service_model"):
        setattr(Loader, name, _remembered(getattr(Loader, name)))
    read = JSONFileLoader.load_file
    files: dict[str, object] = {}

    def load_file(loader: object, path: str) -> object:
        if not path.endswith(("endpoints", "partitions")):
            return read(loader, path)
        if path not in files:
            files[path] = read(loader, path)
        return files[path]

    JSONFileLoader.load_file = load_file


def remember_moto() -> None:
    """Imports moto's EC2 on the way."""
    _read_offerings_when_asked()
    from moto import backends
    from moto.core import responses
    from moto.core.utils import method_names_from_class

    # For every call moto lists its own folder, 1.3 ms, and the methods of a service, 0.6 ms.
    modules = tuple(backends.list_of_moto_modules())
    backends.list_of_moto_modules = lambda: modules
    responses.method_names_from_class = functools.cache(method_names_from_class)  # type: ignore[attr-defined]


def _remembered(method: Callable[..., Any]) -> Callable[..., Any]:
    """A method of a loader, once for all loaders that look in the same folders and read files alike."""
    known: dict[object, Any] = {}

    def look_up(loader: Any, *what: Any, **more: Any) -> Any:
        key = (type(loader), type(loader.file_loader), tuple(loader.search_paths), what, tuple(sorted(more.items())))
        if key not in known:
            known[key] = method(loader, *what, **more)
        return known[key]

    return look_up


class _Offerings(dict[str, Any]):
    """The instance types that each region offers, read when a region is asked for."""

    def __init__(self, location_type: str, read: Callable[[str], Any], regions: frozenset[str]) -> None:
        super().__init__()
        self._location_type = location_type
        self._read = read
        self._regions = regions

    def __missing__(self, region: str) -> Any:
        if region not in self._regions:
            raise KeyError(region)
        offered = self._read(f"{_OFFERINGS}/{self._location_type}/{region}.json")
        self[region] = [{**each, "LocationType": self._location_type} for each in offered]
        return self[region]

    def get(self, region: str, default: Any = None) -> Any:
        return self[region] if region in self._regions else default


def _read_offerings_when_asked() -> None:
    """Moto reads those of every region when it is imported, 0.2 s."""
    from moto.utilities import utils

    read = utils.load_resource
    utils.load_resource = lambda resource: [] if resource.startswith(_OFFERINGS) else read(resource)
    try:
        from moto.ec2.models.instance_types import INSTANCE_TYPE_OFFERINGS
    finally:
        utils.load_resource = read
    for location_type, offered in INSTANCE_TYPE_OFFERINGS.items():
        if not any(offered.values()) and not isinstance(offered, _Offerings):
            INSTANCE_TYPE_OFFERINGS[location_type] = _Offerings(location_type, read, frozenset(offered))
