"""Answers that were cut off on their way, taken for the broken connections that they are: botocore retries those.

botocore does not compare what came with the length that was announced: half of a JSON page passes for an answer without
rows, and the list would be shorter without a word.
"""

from __future__ import annotations

from typing import Any


def refuse_cut_answers(client: Any) -> None:
    """From now on the client's answers are whole, or retried, or an error."""
    # SLF001: there is no event between the answer's arrival and its parsing from which botocore would retry.
    endpoint = client._endpoint  # noqa: SLF001
    endpoint.http_session = _WholeAnswers(endpoint.http_session)


class _WholeAnswers:
    """In the place of a client's HTTP session."""

    def __init__(self, session: Any) -> None:
        self._session = session

    def send(self, request: Any) -> Any:
        """The answer. Raises what botocore takes for a connection that ended too soon."""
        from botocore.exceptions import ConnectionClosedError

        answer = self._session.send(request)
        announced = answer.headers.get("content-length", "")
        if not request.stream_output and announced.isdecimal() and len(answer.content) < int(announced):
            raise ConnectionClosedError(endpoint_url=request.url, error="the answer was cut off")
        return answer

    def close(self) -> None:
        """Ends the connections."""
        self._session.close()
