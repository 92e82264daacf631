"""The section `[plugins.ldap]`: the directory that passwords are checked against."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, field_validator, model_validator

from hatsize_ldap.addresses import Address


class GroupLookup(StrEnum):
    """How it is found out which groups somebody is in."""

    NONE = "none"
    MEMBER = "member"
    """Groups that hold DNs in `member` or `uniqueMember`."""
    MEMBER_UID = "member-uid"
    """Groups that hold names in `memberUid`."""
    MEMBER_OF = "member-of"
    """The DNs in a user's `memberOf`."""
    IN_CHAIN = "in-chain"
    """Active Directory's own search through nested groups."""


def _items(value: object) -> object:
    return [item.strip() for item in value.split(",") if item.strip()] if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_items)]


class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    title: str = "Directory account"
    """What the login page calls the account."""

    servers: Names = ()
    """`ldaps://…` or `ldap://…`; the next one is asked when one does not answer. Without any, nobody can log in."""
    start_tls: bool = True
    """Encrypt `ldap://` connections before anything is said."""
    ca_file: Path | None = None
    """The certificates (PEM) that the servers' are verified with; the system's by default."""
    timeout_seconds: float = Field(default=5.0, gt=0, le=15)
    """What a server has for each answer."""
    referral_hosts: Names = ()
    """The hosts that referrals may lead to, which then see the same passwords; other referrals are not followed."""

    bind_dn: str = ""
    """The account that users are looked up with; empty to look them up anonymously, or as themselves with `user_dn`."""
    bind_password: SecretStr = SecretStr("")
    user_dn: str = ""
    """Bind as this at once instead of looking the user up, `{username}` replaced: a DN, or `{username}@example.com`."""

    login_schema: Literal["openldap", "posix", "active-directory", "freeipa", "lldap"] = "openldap"
    """What the settings below are when they are empty."""
    base_dn: str = ""
    """Where users are."""
    user_filter: str = ""
    login_attributes: Names = ()
    """What a typed name may be."""
    id_attribute: str = ""
    """What never changes of a user, whatever else does."""
    name_attribute: str = ""
    email_attribute: str = "mail"
    display_name_attribute: str = "displayName"

    groups: GroupLookup | None = None
    group_base_dn: str = ""
    """Where groups are; where users are by default."""
    group_filter: str = ""
    group_name_attribute: str = "cn"
    group_domain: str = ""
    """The domain of policy groups, `group:NAME@DOMAIN`; made from the `dc` parts of `base_dn` by default."""
    nested_groups: bool = True
    """Whether who is in a group is in the groups that group is in."""
    allowed_groups: Names = ()
    """Names or DNs; who is in none of them may not log in. Without any, everybody may."""

    sync_interval_seconds: float = Field(default=900.0, ge=0)
    """How often users are looked up again; 0 for never."""
    suspend_at_most_percent: int = Field(default=25, ge=0, le=100)
    """A sync that would suspend more than this part of the users, and more than two, suspends nobody."""
    page_size: int = Field(default=500, ge=1, le=1000)

    @property
    def follows_users(self) -> bool:
        """Whether users are looked up while they are away: not where each can only look up themselves."""
        return bool(self.sync_interval_seconds and (self.bind_dn or not self.user_dn))

    @field_validator("servers")
    @classmethod
    def _addresses(cls, servers: tuple[str, ...]) -> tuple[str, ...]:
        for server in servers:
            Address.parse(server)
        return servers

    @field_validator("user_dn")
    @classmethod
    def _a_template(cls, user_dn: str) -> str:
        if user_dn and (user_dn.count("{username}") != 1 or "{" in user_dn.replace("{username}", "")):
            raise ValueError("has no {username} in it; give one such as uid={username},ou=people,dc=example,dc=com")
        return user_dn

    @field_validator("user_filter", "group_filter")
    @classmethod
    def _a_filter(cls, text: str) -> str:
        if text and not (text.startswith("(") and text.endswith(")") and text.count("(") == text.count(")")):
            raise ValueError("is not a filter; give one such as (objectClass=inetOrgPerson)")
        return text

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.servers and not self.base_dn:
            raise ValueError("base_dn is missing: say where users are, as ou=people,dc=example,dc=com")
        if self.bind_dn and not self.bind_password:
            raise ValueError("bind_password is missing: an account without one would be anonymous")
        return self
