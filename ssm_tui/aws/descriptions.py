"""botocore's descriptions of AWS's services, read without their prose. Imports nothing of botocore."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

_ENDINGS = (".json", ".json.gz")


class DescriptionFiles:
    """What botocore's Loader reads files with (botocore.loaders.JSONFileLoader), in less memory: SSM's and EC2's
    descriptions are a third of what a process that holds a tunnel needs, and most of them is prose for web pages.
    Measured with five services: 16 MB less, and 0.1 s of 0.8 sooner."""

    def exists(self, file_path: str) -> bool:
        """Whether there is such a file; `file_path` is without its ending."""
        return any(Path(file_path + ending).is_file() for ending in _ENDINGS)

    def load_file(self, file_path: str) -> Any:
        """What is in it, or None where there is none."""
        for ending in _ENDINGS:
            try:
                raw = Path(file_path + ending).read_bytes()
            except OSError:
                continue
            text = gzip.decompress(raw) if ending.endswith(".gz") else raw
            return json.loads(text, object_hook=_without_prose)
        return None


def _without_prose(described: dict[str, Any]) -> dict[str, Any]:
    if isinstance(described.get("documentation"), str):  # else it is the description of a field of that name
        del described["documentation"]
    return described
