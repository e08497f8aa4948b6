"""AWS's service descriptions, read without their prose, are still the same to botocore."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel

from ssm_tui.aws.descriptions import DescriptionFiles
from ssm_tui.aws.login import _loader


def texts(described: Any) -> Iterator[str]:
    """Every prose in a description."""
    if isinstance(described, dict):
        if isinstance(described.get("documentation"), str):
            yield described["documentation"]
        for each in described.values():
            yield from texts(each)
    elif isinstance(described, list):
        for each in described:
            yield from texts(each)


@pytest.mark.parametrize("service", ["ssm", "ec2", "sts", "rds"])
def test_nothing_but_prose_is_missing(service: str) -> None:
    whole = Loader().load_service_model(service, "service-2")
    read = _loader().load_service_model(service, "service-2")
    assert list(texts(whole))
    assert list(texts(read)) == []
    before, after = ServiceModel(whole, service), ServiceModel(read, service)
    assert after.operation_names == before.operation_names
    for name in before.operation_names:
        one, other = before.operation_model(name).input_shape, after.operation_model(name).input_shape
        assert (one and list(one.members)) == (other and list(other.members))


def test_a_field_of_that_name_stays(tmp_path: Path) -> None:
    described = {"members": {"documentation": {"shape": "String", "documentation": "<p>prose</p>"}}}
    (tmp_path / "one.json").write_text(json.dumps(described), encoding="utf-8")
    (tmp_path / "two.json.gz").write_bytes(gzip.compress(json.dumps(described).encode()))
    files = DescriptionFiles()
    for name in ("one", "two"):
        assert files.exists(str(tmp_path / name))
        assert files.load_file(str(tmp_path / name)) == {"members": {"documentation": {"shape": "String"}}}
    assert not files.exists(str(tmp_path / "three"))
    assert files.load_file(str(tmp_path / "three")) is None
