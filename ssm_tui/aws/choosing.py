"""Which contexts there are: profiles times regions, as the program was started or as the user has picked since."""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING, Final

from ssm_tui.aws import regions
from ssm_tui.aws.profiles import profile_names
from ssm_tui.aws.translate import Request, no_region, translated
from ssm_tui.domain.accounts import ALL, AS_STARTED, Choice
from ssm_tui.domain.contexts import Context
from ssm_tui.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    Profile = str | None

PATIENCE: Final = 6.0  # seconds that AWS may take to say which regions are enabled


class Chosen:
    """`profiles` and `regions` are what the program was started with; empty ones leave the choice to the environment
    and the AWS configuration files. `ask` tells which regions are enabled for a context's account, or None."""

    def __init__(
        self, profiles: Sequence[str], regions_: Sequence[str], ask: Callable[[Context], frozenset[str] | None]
    ) -> None:
        self._started = tuple(dict.fromkeys(profiles)), tuple(dict.fromkeys(regions_))
        self._ask = ask
        self._choice = AS_STARTED
        self._enabled: dict[Profile, frozenset[str]] = {}

    def choose(self, choice: Choice) -> None:
        """This is in force from now on."""
        self._choice = choice

    @property
    def started(self) -> Choice:
        """What the program was started with; no regions are each profile's own."""
        profiles, regions_ = self._started
        return Choice(profiles or (environment_profile(),), regions_)

    @property
    def everywhere(self) -> bool:
        """All regions are in force, none by its name."""
        return ALL in self._regions()

    def contexts(self) -> tuple[Context, ...]:
        """Blocks. Raises CredentialsError for an unknown profile, RegionError where a profile has no region."""
        own = {profile: _own_region(profile) for profile in self._profiles()}
        if self.everywhere:
            found = self._in_all_regions(own)
        else:
            found = [Context(profile, each) for profile, region in own.items() for each in self._of(profile, region)]
        return tuple(dict.fromkeys(found))

    def enabled(self, profile: Profile) -> frozenset[str] | None:
        """The regions that the profile's account has enabled; None where AWS does not say. Blocks."""
        known = self._enabled  # another one once the profile's credentials are
        if profile not in known:
            try:
                region = _own_region(profile) or regions.partition_of("").first
            except AwsError:
                return None
            answer = self._ask(Context(profile, region))
            if answer is None:
                return None
            known[profile] = answer
        return known[profile]

    def renew(self, profile: Profile) -> None:
        """The profile's credentials may be another account's now."""
        self._enabled = {each: its for each, its in self._enabled.copy().items() if each != profile}

    def _profiles(self) -> tuple[Profile, ...]:
        picked = self._choice.profiles
        if picked is None:
            return self._started[0] or (environment_profile(),)
        # A picked one may have gone from the files since. What was asked for by name is looked for all the same.
        if len(picked) == 1:
            return picked
        with translated(Request(Context(None, ""), "")):
            known = {None, *profile_names()}
        return tuple(dict.fromkeys(profile for profile in picked if profile in known)) or picked

    def _regions(self) -> tuple[str, ...]:
        return self._started[1] if self._choice.regions is None else self._choice.regions

    def _of(self, profile: Profile, own: str | None) -> tuple[str, ...]:
        found = self._regions() or ((own,) if own else ())
        if not found:
            raise no_region(profile)
        return found

    def _in_all_regions(self, own: dict[Profile, str | None]) -> Iterable[Context]:
        answers = self._ask_enabled(own)
        for profile, region in own.items():
            partition = regions.partition_of(region or "")
            enabled = answers.get(profile)
            names = [each.name for each in partition.regions if enabled is None or each.name in enabled]
            # Regions that botocore does not know yet; the profile's own comes first, for it is read first.
            names += sorted((enabled or frozenset()) - {each.name for each in partition.regions})
            names.sort(key=lambda name: name != region)
            yield from (Context(profile, name) for name in names)

    def _ask_enabled(self, profiles: Iterable[Profile]) -> dict[Profile, frozenset[str] | None]:
        """All profiles at once. One that does not answer soon does not delay the others."""
        answers: dict[Profile, frozenset[str] | None] = {}

        def ask(profile: Profile) -> None:
            answers[profile] = self.enabled(profile)

        threads = [threading.Thread(target=ask, args=(each,), name="regions", daemon=True) for each in profiles]
        for thread in threads:
            thread.start()
        until = time.monotonic() + PATIENCE
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))
        return dict(answers)


def environment_profile() -> Profile:
    """AWS_PROFILE by name, so that it is shown; but keys in the environment come before it, and have no name."""
    return None if os.environ.get("AWS_ACCESS_KEY_ID") else os.environ.get("AWS_PROFILE") or None


def _own_region(profile: Profile) -> str | None:
    """The region that environment and configuration name for a profile. Raises AwsError for an unknown profile."""
    from botocore.session import Session

    # Looked up even when regions are given: an unknown profile is said before anything is read.
    with translated(Request(Context(profile, ""), "")):
        own: str | None = Session(profile=profile).get_config_variable("region")
    # The AWS CLI takes AWS_REGION before all else; botocore does not know it.
    return os.environ.get("AWS_REGION") or own
