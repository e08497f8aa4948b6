"""The tags of hybrid nodes, by the cheapest call that works: a hundred nodes a call where allowed, else one.

EC2 does not know hybrid nodes, and SSM's lists leave tags out. The tagging API's GetResources covers all that can be
tagged but lists only what has, or had, a tag ("Services that support the Resource Groups Tagging API", its API
reference); AWS's sample policies for Session Manager grant neither call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ssm_tui.aws import decode
from ssm_tui.domain.contexts import Note
from ssm_tui.domain.lacks import Lack
from ssm_tui.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from ssm_tui.aws.gateway import Gateway

    Tags = Mapping[str, Mapping[str, str]]

# The most resources that GetResources gives at a time.
PAGE = 100
RESOURCE_TYPE = "ssm:managed-instance"
# One call each: enough for what people register by hand, and a bound for those who register fleets.
ONE_BY_ONE = 300


def read_tags(gateway: Gateway, hybrid: Sequence[str], untagged: Callable[[str], None]) -> Iterator[Tags | Note]:
    """Tags by node, in portions. Of those that were not read `untagged` is told, and a note says why."""
    told: set[str] = set()
    if len(hybrid) > 1:
        try:
            pages = gateway.pages(
                "resourcegroupstaggingapi", "get_resources", page_size=PAGE, ResourceTypeFilters=[RESOURCE_TYPE]
            )
            for page in pages:
                found = decode.resource_tags(page)
                told.update(found)
                yield found
        except AwsError:
            pass  # not allowed, or not reachable: those that it has not told are asked for themselves
        else:
            if not told.isdisjoint(hybrid):  # the others have no tags
                return
    yield from _one_by_one(gateway, [each for each in hybrid if each not in told], untagged)


def _one_by_one(gateway: Gateway, hybrid: Sequence[str], untagged: Callable[[str], None]) -> Iterator[Tags | Note]:
    for number, node_id in enumerate(hybrid):
        if number >= ONE_BY_ONE:
            hint = "ask for a policy that allows tag:GetResources, which gives a hundred at a time"
            yield untold(hybrid[number:], untagged, f"only {ONE_BY_ONE} are read one by one", hint)
            return
        try:
            answer = gateway.call("ssm", "list_tags_for_resource", ResourceType="ManagedInstance", ResourceId=node_id)
        except AwsError as error:
            yield untold(hybrid[number:], untagged, error.message, error.hint)
            return
        yield {node_id: decode.tags(answer.get("TagList"))}


def untold(nodes: Sequence[str], untagged: Callable[[str], None], why: str, hint: str) -> Note:
    """Says so of nodes whose tags are not read."""
    for node_id in nodes:
        untagged(node_id)
    count = f"{len(nodes):,} hybrid node" + ("s" if len(nodes) > 1 else "")
    return Note(f"the tags of {count} are not known: {why}", hint, lack=Lack.TAGS)
