"""What directories call things: the settings of each kind of directory where nothing else is set."""

from dataclasses import dataclass

from hatsize_ldap.settings import GroupLookup, Settings


@dataclass(frozen=True, slots=True)
class Schema:
    """How users and groups look in one directory."""

    user_filter: str
    login_attributes: tuple[str, ...]
    id_attribute: str
    name_attribute: str
    groups: GroupLookup
    group_filter: str


_GROUPS_OF_NAMES = "(|(objectClass=groupOfNames)(objectClass=groupOfUniqueNames))"

PRESETS: dict[str, Schema] = {
    "openldap": Schema(
        "(objectClass=inetOrgPerson)", ("uid",), "entryUUID", "uid", GroupLookup.MEMBER, _GROUPS_OF_NAMES
    ),
    "posix": Schema(
        "(objectClass=posixAccount)", ("uid",), "entryUUID", "uid", GroupLookup.MEMBER_UID, "(objectClass=posixGroup)"
    ),
    "active-directory": Schema(
        # Computers are users too, but no persons.
        "(&(objectCategory=person)(objectClass=user))",
        ("sAMAccountName", "userPrincipalName"),
        "objectGUID",
        "sAMAccountName",
        GroupLookup.IN_CHAIN,
        "(objectClass=group)",
    ),
    "freeipa": Schema(
        "(objectClass=posixAccount)",
        ("uid",),
        "ipaUniqueID",
        "uid",
        GroupLookup.MEMBER_OF,
        "(objectClass=ipaUserGroup)",
    ),
    "lldap": Schema(
        "(objectClass=person)", ("uid",), "entryUUID", "uid", GroupLookup.MEMBER_OF, "(objectClass=groupOfUniqueNames)"
    ),
}
"""By `login_schema`. Names and classes are those of RFC 2798 and 2307, of Active Directory's and FreeIPA's schemas."""


def schema_of(settings: Settings) -> Schema:
    """The preset, with what is set in its place."""
    preset = PRESETS[settings.login_schema]
    return Schema(
        settings.user_filter or preset.user_filter,
        settings.login_attributes or preset.login_attributes,
        settings.id_attribute or preset.id_attribute,
        settings.name_attribute or preset.name_attribute,
        settings.groups or preset.groups,
        settings.group_filter or preset.group_filter,
    )
