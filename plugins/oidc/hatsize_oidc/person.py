"""Who a provider's claims speak of, and whether the settings let them in."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from hatsize.hooks.auth import LoginIdentity
from hatsize.tailnet.model import Identity
from hatsize_oidc.claims import groups_at, policy_group, text_at
from hatsize_oidc.failures import NotAllowedFailure, ProviderFailure
from hatsize_oidc.settings import Provider

LONGEST_SUBJECT = 255
"""OpenID Connect Core 1.0, section 2."""


@dataclass(frozen=True, slots=True)
class Email:
    """An address, and whether it may be relied on."""

    address: str = ""
    verified: bool = False


def identity_of(settings: Provider, claims: Mapping[str, Any]) -> Identity:
    """The provider's name and its subject, by which somebody is known for good."""
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= LONGEST_SUBJECT:
        raise ProviderFailure(f"{settings.name} does not say who has logged in: its answer has no subject")
    return Identity(settings.name, subject)


def person(settings: Provider, claims: Mapping[str, Any], expires: datetime | None = None) -> LoginIdentity:
    """Who has logged in, when the settings let them in; NotAllowedFailure says what keeps them out."""
    identity = identity_of(settings, claims)
    email = _email(settings, claims)
    groups = _groups(settings, claims)
    named = tuple(dict.fromkeys(policy_group(group, settings.domain_of_groups()) for group in groups))
    _check_domain(settings, email)
    _check_user(settings, email, identity.subject)
    _check_groups(settings, {*groups, *named})
    picture = text_at(claims, "picture", limit=2000)
    return LoginIdentity(
        identity,
        name=text_at(claims, settings.name_claim) or email.address or identity.subject,
        email=email.address,
        display_name=text_at(claims, "name"),
        picture_url=picture if picture.startswith("https://") else "",
        groups=named,
        expires=expires,
        claims=dict(claims),
        link_email=email.address if settings.link_by_email and email.verified else "",
    )


def token_expiry(claims: Mapping[str, Any]) -> datetime:
    """When the ID token ends. It was found valid before."""
    try:
        return datetime.fromtimestamp(claims["exp"], UTC)
    except (OverflowError, ValueError, OSError) as error:
        raise ProviderFailure("the ID token expires at a time that no calendar has") from error


def _email(settings: Provider, claims: Mapping[str, Any]) -> Email:
    """The e-mail the settings let us rely on; NotAllowedFailure where they insist on a verified one."""
    address = text_at(claims, "email")
    if not address or address.count("@") != 1 or " " in address:
        return Email()
    if claims.get("email_verified") in (True, "true") or settings.unverified_email == "accept":
        return Email(address, verified=True)
    if settings.unverified_email == "drop":
        return Email()
    raise NotAllowedFailure(
        f"{settings.name} has not verified the e-mail address {address}: confirm it there, then log in again"
    )


def _groups(settings: Provider, claims: Mapping[str, Any]) -> tuple[str, ...]:
    """The groups as the provider writes them; ProviderFailure where it keeps them elsewhere, as Entra does many."""
    elsewhere = claims.get("_claim_names")
    if settings.groups_claim and isinstance(elsewhere, Mapping) and settings.groups_claim in elsewhere:
        raise ProviderFailure(
            f"{settings.name} does not tell groups of somebody who is in so many: "
            "let it send only those that are assigned to the application"
        )
    return groups_at(claims, settings.groups_claim)


def _check_domain(settings: Provider, email: Email) -> None:
    domain = email.address.rpartition("@")[2].lower()
    if settings.allowed_domains and domain not in {allowed.lower().lstrip("@") for allowed in settings.allowed_domains}:
        whose = f"addresses of {domain}" if domain else "people without a verified e-mail address"
        raise NotAllowedFailure(f"{whose} may not log in here with {settings.name}: take another account")


def _check_user(settings: Provider, email: Email, subject: str) -> None:
    allowed = {user.lower() for user in settings.allowed_users}
    known = email.address.lower() in allowed or subject in settings.allowed_users
    if allowed and not known:
        raise NotAllowedFailure(f"{email.address or 'this account'} is not among the users who may log in here")


def _check_groups(settings: Provider, groups: set[str]) -> None:
    if settings.allowed_groups and groups.isdisjoint(settings.allowed_groups):
        raise NotAllowedFailure(f"this account is in no group of {settings.name} that may log in here")
