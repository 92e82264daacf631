"""Passwords, users and groups of a real OpenLDAP."""

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from hatsize_ldap.directory import Refusal
from hatsize_ldap.errors import DirectoryError
from hatsize_ldap.people import NOT_ALLOWED
from tests.clients.lab import slapd as lab
from tests.clients.lab.commands import CommandError

pytestmark = pytest.mark.slow
TYPED = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8) | st.sampled_from(
    ["*", "ann*", "a*)(uid=*", "*)(|(uid=*", "ann)(objectClass=*", "ann,ou=people", "\\", "ann\\2a", "(", ")", "\0"]
)


# Who is who.


def test_the_right_password_gives_the_user_as_the_directory_knows_them(directory, company, now):
    ann = directory(company).authenticate("ann", "ann-secret", now)
    assert (ann.dn, ann.name, ann.email) == (f"uid=ann,{lab.PEOPLE}", "ann", "ann@example.com")
    assert (ann.display_name, ann.why_not) == ("Ann Example", "")
    assert len(ann.subject) == 36


@pytest.mark.parametrize("typed", ["ANN", " ann ", "ann"])
def test_a_name_is_the_same_in_other_letters(directory, company, now, typed):
    assert directory(company).authenticate(typed, "ann-secret", now).name == "ann"


def test_an_address_may_be_typed_where_the_settings_say_so(directory, company, now):
    assert directory(company).find("ann@example.com", now) is None
    found = directory(company, login_attributes=["uid", "mail"]).authenticate("ann@example.com", "ann-secret", now)
    assert found.name == "ann"


@pytest.mark.parametrize(
    ("username", "password"),
    [("ann", "wrong"), ("nobody", "ann-secret"), ("ann", ""), ("", "ann-secret"), ("", ""), ("bob", "ann-secret")],
)
@pytest.mark.parametrize("how", [{}, {"user_dn": f"uid={{username}},{lab.PEOPLE}"}])
def test_anything_else_is_nobody(directory, company, now, username, password, how):
    assert directory(company, **how).authenticate(username, password, now) is None


@given(username=TYPED, password=TYPED)
@hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.parametrize("how", [{}, {"user_dn": f"uid={{username}},{lab.PEOPLE}"}])
def test_whatever_is_typed_lets_nobody_in(directory, company, now, how, username, password):
    assert directory(company, start_tls=False, **how).authenticate(username, password, now) is None


def test_a_template_binds_as_the_user_at_once(directory, company, now):
    template = f"uid={{username}},{lab.PEOPLE}"
    assert directory(company, user_dn=template).authenticate("ann", "ann-secret", now).email == "ann@example.com"


def test_without_a_service_account_users_look_themselves_up(directory, company, now):
    template = f"uid={{username}},{lab.PEOPLE}"
    ann = directory(company, user_dn=template, bind_dn="").authenticate("ann", "ann-secret", now)
    assert (ann.name, ann.groups) == ("ann", ()), "the groups are not theirs to read here"


def test_two_users_of_one_name_are_one_too_many(directory, slapd_factory, now):
    company = slapd_factory()
    company.add_person("ann", mail="both@example.com")
    company.add_person("bob", mail="both@example.com")
    with pytest.raises(DirectoryError, match="2 users of one name"):
        directory(company, login_attributes=["mail"]).authenticate("both@example.com", "ann-secret", now)


@pytest.mark.parametrize("how", [{"start_tls": True}, {"start_tls": False}])
def test_a_connection_is_encrypted_or_not_as_it_is_set(directory, company, now, how):
    assert directory(company, **how).authenticate("ann", "ann-secret", now)


def test_ldaps_is_encrypted_from_the_start(directory, company, now):
    assert directory(company.ldaps_url).authenticate("ann", "ann-secret", now)


# Groups.


@pytest.mark.parametrize("groups", ["member", "member-of"])
def test_groups_are_found_through_groups(directory, company, now, groups):
    found = directory(company, groups=groups).find("ann", now)
    assert found.groups == ("group:all-staff@example.com", "group:dev@example.com")


@pytest.mark.parametrize("groups", ["member", "member-of"])
def test_unless_only_direct_ones_are_wanted(directory, company, now, groups):
    assert directory(company, groups=groups, nested_groups=False).find("ann", now).groups == ("group:dev@example.com",)


def test_groups_in_a_circle_have_an_end(directory, slapd_factory, now):
    company = slapd_factory()
    first = company.add_group("first", company.add_person("ann"))
    second = company.add_group("second", first)
    company.change(f"dn: {first}\nchangetype: modify\nadd: member\nmember: {second}\n")
    for groups in ("member", "member-of"):
        found = directory(company, groups=groups).find("ann", now)
        assert found.groups == ("group:first@example.com", "group:second@example.com")


def test_posix_groups_hold_names(directory, slapd_factory, now):
    company = slapd_factory()
    company.add(
        f"dn: uid=ann,{lab.PEOPLE}\nobjectClass: account\nobjectClass: posixAccount\ncn: Ann\nuid: ann\n"
        f"uidNumber: 1000\ngidNumber: 1000\nhomeDirectory: /home/ann\nuserPassword: ann-secret\n\n"
        f"dn: cn=web,{lab.GROUPS}\nobjectClass: posixGroup\ngidNumber: 2000\nmemberUid: ann\n"
    )
    found = directory(company, login_schema="posix").authenticate("ann", "ann-secret", now)
    assert found.groups == ("group:web@example.com",)


@pytest.mark.parametrize("allowed", ["dev", "DEV", f"cn=dev,{lab.GROUPS}", "all staff"])
def test_members_of_an_allowed_group_may_log_in(directory, company, now, allowed):
    assert directory(company, allowed_groups=("others", allowed)).find("ann", now).why_not == ""


def test_others_may_not(directory, company, now):
    assert directory(company, allowed_groups=["dev"]).find("bob", now).why_not == NOT_ALLOWED


# Accounts that may not be used.


def test_an_account_is_locked_by_wrong_passwords_and_says_so_to_nobody(directory, slapd_factory, now, caplog):
    company = slapd_factory()
    company.add_person("ann")
    asked = directory(company)
    caplog.set_level("INFO")
    for _ in range(3):
        assert asked.authenticate("ann", "wrong", now) is None
    assert asked.authenticate("ann", "ann-secret", now) is None
    assert "the account is locked" in caplog.text
    assert asked.find("ann", now).why_not == "", "nobody's machines go because somebody guesses at a password"


def test_an_account_that_an_administrator_has_locked_may_not_be_used(directory, slapd_factory, now):
    company = slapd_factory()
    dn = company.add_person("ann")
    company.change(f"dn: {dn}\nchangetype: modify\nadd: pwdAccountLockedTime\npwdAccountLockedTime: 000001010000Z\n")
    assert "disabled" in directory(company).find("ann", now).why_not
    assert directory(company).authenticate("ann", "ann-secret", now) is None


def test_an_account_that_has_expired_may_not_be_used(directory, slapd_factory, now):
    company = slapd_factory()
    dn = company.add_person("ann")
    company.change(
        f"dn: {dn}\nchangetype: modify\nadd: objectClass\nobjectClass: shadowAccount\n-\nadd: shadowExpire\n"
        "shadowExpire: 20000\n"
    )
    assert "expired" in directory(company).authenticate("ann", "ann-secret", now).why_not


def test_a_password_that_has_to_be_changed_is_said_to_be(directory, slapd_factory, now):
    company = slapd_factory()
    dn = company.add_person("ann")
    company.change(
        f"dn: cn=policy,{lab.BASE}\nchangetype: modify\nadd: pwdMustChange\npwdMustChange: TRUE\n\n"
        f"dn: {dn}\nchangetype: modify\nadd: pwdReset\npwdReset: TRUE\n"
    )
    assert directory(company).authenticate("ann", "ann-secret", now) == Refusal(
        "Your password has expired: change it first."
    )


# Everybody.


def test_users_are_found_by_what_never_changes_of_them(directory, slapd_factory, now):
    company = slapd_factory()
    dn = company.add_person("ann")
    asked = directory(company)
    subject = asked.find("ann", now).subject
    company.change(f"dn: {dn}\nchangetype: modrdn\nnewrdn: uid=ann.smith\ndeleteoldrdn: 1\n")
    assert asked.people([subject], now)[subject].name == "ann.smith"


def test_more_users_than_a_server_gives_at_once_are_read_in_pages(directory, slapd_factory, now):
    company = slapd_factory()
    for number in range(9):
        company.add_person(f"user{number}")
    with pytest.raises(CommandError, match="Size limit exceeded"):
        company.search_as_service("(uid=*)")
    for size in (2, 500):
        asked = directory(company, page_size=size)
        subjects = [asked.find(f"user{number}", now).subject for number in range(9)]
        assert set(asked.people(subjects, now)) == set(subjects)


def test_who_is_gone_is_not_among_them(directory, slapd_factory, now):
    company = slapd_factory()
    company.add_person("bob")
    dn = company.add_person("ann")
    asked = directory(company)
    subject = asked.find("ann", now).subject
    company.delete(dn)
    assert asked.people([subject], now) == {}


@pytest.mark.parametrize(
    "how",
    [{"bind_dn": ""}, {"base_dn": "dc=example,dc=org"}, {"user_filter": "(objectClass=room)"}],
    ids=["anonymous", "another base", "another filter"],
)
def test_a_directory_that_shows_nobody_at_all_is_not_one_that_everybody_has_left(directory, company, now, how):
    with pytest.raises(DirectoryError, match="shows no user under"):
        directory(company, **how).people(["00000000-0000-0000-0000-000000000000"], now)


# Active Directory's schema, in OpenLDAP's server.

ACTIVE_DIRECTORY = """
attributetype ( 1.2.840.113556.1.4.221 NAME 'sAMAccountName' EQUALITY caseIgnoreMatch SYNTAX {string} )
attributetype ( 1.2.840.113556.1.4.656 NAME 'userPrincipalName' EQUALITY caseIgnoreMatch SYNTAX {string} )
attributetype ( 1.2.840.113556.1.4.782 NAME 'objectCategory' EQUALITY caseIgnoreMatch SYNTAX {string} )
attributetype ( 1.2.840.113556.1.4.8 NAME 'userAccountControl' EQUALITY integerMatch SYNTAX {number} )
attributetype ( 1.2.840.113556.1.4.2 NAME 'objectGUID' EQUALITY octetStringMatch SYNTAX {bytes} )
objectclass ( 1.2.840.113556.1.5.9 NAME 'user' SUP organizationalPerson
  MAY ( sAMAccountName $ userPrincipalName $ objectCategory $ userAccountControl $ objectGUID ) )
objectclass ( 1.2.840.113556.1.5.8 NAME 'group' SUP top STRUCTURAL MUST cn MAY ( member $ objectCategory ) )
""".format(**{kind: f"1.3.6.1.4.1.1466.115.121.1.{number}" for kind, number in
             {"string": 15, "number": 27, "bytes": 40}.items()})  # fmt: skip


@pytest.fixture(scope="module")
def domain(slapd_factory):
    server = slapd_factory(schema=ACTIVE_DIRECTORY)
    for number, (name, control) in enumerate({"Ann": 512, "Bob": 514}.items()):
        server.add(
            f"dn: cn={name},{lab.PEOPLE}\nobjectClass: user\nsn: {name}\nobjectCategory: person\n"
            f"sAMAccountName: {name.lower()}\nuserPrincipalName: {name.lower()}@example.com\n"
            f"userAccountControl: {control}\nobjectGUID:: AAECAwQFBgcICQoLDA0OD{'wx'[number]}==\n"
            f"userPassword: {name.lower()}-secret\n"
        )
    server.add(f"dn: cn=Domain Staff,{lab.GROUPS}\nobjectClass: group\nmember: cn=Ann,{lab.PEOPLE}\n")
    return server


@pytest.fixture
def active_directory(directory, domain):
    # OpenLDAP's server has no search through nested groups.
    return directory(domain, login_schema="active-directory", nested_groups=False)


@pytest.mark.parametrize("typed", ["ann", "ann@example.com"])
def test_active_directorys_users_have_two_names(active_directory, now, typed):
    found = active_directory.authenticate(typed, "ann-secret", now)
    assert (found.name, found.groups) == ("ann", ("group:domain-staff@example.com",))


def test_they_are_found_by_their_guid(active_directory, now):
    found = active_directory.find("ann", now)
    assert found.subject == "03020100-0504-0706-0809-0a0b0c0d0e0f"
    assert set(active_directory.people([found.subject], now)) == {found.subject}


def test_a_disabled_account_of_active_directory_may_not_be_used(active_directory, now):
    assert "disabled" in active_directory.find("bob", now).why_not


def test_a_principals_name_leads_to_no_other_domain(directory, company, now):
    asked = directory(company, user_dn="{username}@example.com")
    assert asked.authenticate("ann@evil.example", "ann-secret", now) is None
