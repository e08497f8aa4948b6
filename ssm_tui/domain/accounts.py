"""What could be opened, and what the user has chosen of it: profiles, regions, accounts. Plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ssm_tui.domain.contexts import Context, Note

ALL: Final = "all"
"""In the place of a region's name: every region that the account has enabled."""


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile of the user's AWS files. `name` is None for what the SDK's default chain finds without one. `signs_in`
    says how in plain words, with nothing in it that is secret. `account` and `role` are known where the files tell
    them."""

    name: str | None
    signs_in: str
    account: str | None = None
    role: str | None = None
    region: str | None = None

    @property
    def label(self) -> str:
        """For people, as contexts are labelled."""
        return self.name or "default"


@dataclass(frozen=True, slots=True)
class Profiles:
    """Those that there are, in the order of the files; and what is wrong with the files, where they are broken."""

    found: tuple[Profile, ...]
    problem: Note | None = None


@dataclass(frozen=True, slots=True)
class Region:
    """A region's name, and where that is (`Asia Pacific (Seoul)`)."""

    name: str
    place: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """What the user has picked while running; None where it shall be as the program was started. A profile None is the
    SDK's default chain. ALL among the regions stands for all of them."""

    profiles: tuple[str | None, ...] | None = None
    regions: tuple[str, ...] | None = None

    def admits(self, context: Context) -> bool:
        """Whether the context may be one of those chosen, as far as that is known without looking."""
        return (self.profiles is None or context.profile in self.profiles) and (
            self.regions is None or ALL in self.regions or context.region in self.regions
        )


AS_STARTED: Final = Choice()
