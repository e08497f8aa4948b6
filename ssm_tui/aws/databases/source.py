"""What a reader of one service's databases has: whose they are, calls whose refusal costs facts alone, tags by ARN.

A service that says no to its own list is an AwsError, and a note to `read_databases`. What stands beside the list (the
VPC behind a subnet group, tags) is worth a note of its own: the databases are listed without it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ssm_tui.aws import decode
from ssm_tui.domain.contexts import Note
from ssm_tui.domain.databases import Database, DatabasePage
from ssm_tui.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ssm_tui.aws.gateway import Gateway
    from ssm_tui.domain.contexts import Context
    from ssm_tui.domain.databases import Kind

    Raw = Mapping[str, Any]

# The most that RDS, ElastiCache, Redshift and the tagging API give a page.
PAGE = 100
# EC2 takes so many values a filter.
VALUES = 200
SECRET_TAG = "ssm-tui:secret"  # noqa: S105 - the name of a tag


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose databases they are: what all of a context have in common."""

    context: Context
    account: str | None = None

    def database(self, **facts: Any) -> Database:
        """A database of theirs."""
        return Database(context=self.context, account=self.account, **facts)


@dataclass(frozen=True, slots=True)
class Network:
    """Where a database stands, as far as is known."""

    vpc: str | None = None
    subnets: tuple[str, ...] = ()


NOWHERE = Network()


class Source:
    """One service's lists, read for one owner. It remembers what was refused until the next page tells it."""

    def __init__(self, gateway: Gateway, owner: Owner) -> None:
        self._gateway = gateway
        self.owner = owner
        self._notes: list[Note] = []
        self._unread: frozenset[Kind] = frozenset()

    def page(self, databases: Iterable[Database | None]) -> DatabasePage:
        """Those that are some, with what was refused on the way to them."""
        page = DatabasePage(tuple(filter(None, databases)), notes=tuple(self._notes), unread=self._unread)
        self._notes, self._unread = [], frozenset()
        return page

    def pages(
        self, service: str, operation: str, key: str, *, page_size: int | None = PAGE, **parameters: Any
    ) -> Iterator[list[Raw]]:
        """The entries of each page under `key`. Raises AwsError."""
        for page in self._gateway.pages(service, operation, page_size=page_size, **parameters):
            yield list(decode.entries(page.get(key)))

    def all(self, service: str, operation: str, key: str, **parameters: Any) -> list[Raw]:
        """The entries of all pages. Raises AwsError."""
        return [each for page in self.pages(service, operation, key, **parameters) for each in page]

    def call(self, service: str, operation: str, key: str, **parameters: Any) -> list[Raw]:
        """The entries of an operation that has no pages. Raises AwsError."""
        return list(decode.entries(self._gateway.call(service, operation, **parameters).get(key)))

    def beside(
        self, what: str, service: str, operation: str, key: str, *, rows: frozenset[Kind] = frozenset(), **more: Any
    ) -> list[Raw]:
        """The same as `all`; a refusal is a note that `what` could not be read. `rows` are the kinds of which
        databases are not listed then, where it is more than facts."""
        try:
            return self.all(service, operation, key, **more)
        except AwsError as error:
            self._notes.append(Note(f"{what} could not be read: {error.message}", error.hint))
            self._unread |= rows
            return []

    def tags(self, what: str, *types: str) -> Mapping[str, Mapping[str, str]]:
        """The tags of everything of these types, by ARN (tagging API, GetResources); of services whose own lists leave
        them out. Types are as its API reference has them: `elasticache:cluster`."""
        told = self.beside(
            f"the tags of {what}",
            "resourcegroupstaggingapi",
            "get_resources",
            "ResourceTagMappingList",
            ResourceTypeFilters=list(types),
        )
        return {arn: decode.tags(each.get("Tags")) for each in told if (arn := decode.text(each.get("ResourceARN")))}

    def networks(self, subnets: Iterable[str]) -> Mapping[str, str]:
        """The VPC of each subnet (EC2 DescribeSubnets), for services that name subnets alone."""
        wanted = sorted(set(subnets))
        vpcs: dict[str, str] = {}
        for start in range(0, len(wanted), VALUES):
            by_id = [{"Name": "subnet-id", "Values": wanted[start : start + VALUES]}]
            told = self.beside("subnets", "ec2", "describe_subnets", "Subnets", Filters=by_id, page_size=None)
            vpcs |= {
                name: vpc
                for each in told
                if (name := decode.text(each.get("SubnetId"))) and (vpc := decode.text(each.get("VpcId")))
            }
        return vpcs


def secret(tags: Mapping[str, str], managed: object = None) -> str | None:
    """Where the password is: the secret that the tag `ssm-tui:secret` names, else the one that the service keeps for
    the master user (`MasterUserSecret`)."""
    return tags.get(SECRET_TAG) or decode.text(decode.entry(managed).get("SecretArn"))


def groups(value: object, key: str) -> tuple[str, ...]:
    """The ids of security groups in a list of memberships."""
    return decode.texts([each.get(key) for each in decode.entries(value)])


def the_same(values: Iterable[str | None]) -> str | None:
    """What they all are; None where they differ or are none."""
    different = set(values)
    return different.pop() if len(different) == 1 else None
