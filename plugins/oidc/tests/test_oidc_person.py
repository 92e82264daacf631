"""Whom the settings let in, and as whom."""

import pytest

from hatsize.tailnet.model import Identity
from hatsize_oidc.failures import NotAllowedFailure, ProviderFailure
from hatsize_oidc.person import person

ANN = {"sub": "1", "email": "Ann@Example.com", "email_verified": True, "preferred_username": "ann", "groups": ["ops"]}


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"allowed_domains": ["example.com"]},
        {"allowed_domains": ["@EXAMPLE.com"]},
        {"allowed_users": ["ann@example.com"]},
        {"allowed_users": ["1"]},
        {"allowed_groups": ["ops", "dev"], "groups_claim": "groups"},
        {"allowed_groups": ["group:ops@work"], "groups_claim": "groups"},
        {"allowed_domains": ["example.com"], "allowed_groups": ["ops"], "groups_claim": "groups"},
    ],
)
def test_who_passes_every_list_is_let_in(settings, given):
    assert person(settings(**given), ANN).identity == Identity("work", "1")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"allowed_domains": ["example.org"]}, "addresses of example.com may not log in here with work"),
        ({"allowed_users": ["bob@example.com", "2"]}, "Ann@Example.com is not among the users"),
        ({"allowed_groups": ["dev"], "groups_claim": "groups"}, "in no group of work that may log in here"),
        ({"allowed_groups": ["ops"]}, "in no group of work"),
        ({"allowed_domains": ["example.com"], "allowed_groups": ["dev"], "groups_claim": "groups"}, "in no group"),
    ],
)
def test_who_does_not_is_told_which(settings, given, words):
    with pytest.raises(NotAllowedFailure, match=words):
        person(settings(**given), ANN)


UNVERIFIED = {**ANN, "email_verified": False}


def test_an_email_that_is_not_verified_ends_the_login(settings):
    with pytest.raises(NotAllowedFailure, match=r"has not verified the e-mail address Ann@Example.com: confirm it"):
        person(settings(), UNVERIFIED)


def test_or_is_not_taken_over(settings):
    assert person(settings(unverified_email="drop"), UNVERIFIED).email == ""
    with pytest.raises(NotAllowedFailure, match="people without a verified e-mail address"):
        person(settings(unverified_email="drop", allowed_domains=["example.com"]), UNVERIFIED)


def test_or_is_believed(settings):
    told = person(settings(unverified_email="accept", link_by_email=True), UNVERIFIED)
    assert (told.email, told.link_email) == ("Ann@Example.com", "Ann@Example.com")


def test_a_link_needs_the_setting_and_a_verified_email(settings):
    assert person(settings(), ANN).link_email == ""
    assert person(settings(link_by_email=True), ANN).link_email == "Ann@Example.com"
    assert person(settings(link_by_email=True, unverified_email="drop"), UNVERIFIED).link_email == ""


@pytest.mark.parametrize("email", ["", "ann", "a@b@c", "a b@c", 7, None, ["ann@example.com"]])
def test_what_is_no_address_is_none(settings, email):
    assert person(settings(), {**ANN, "email": email}).email == ""


@pytest.mark.parametrize(
    ("claims", "name"),
    [(ANN, "ann"), ({"sub": "1", "email": "a@b.c", "email_verified": "true"}, "a@b.c"), ({"sub": "1"}, "1")],
)
def test_a_user_is_named_by_what_there_is(settings, claims, name):
    assert person(settings(), claims).name == name


def test_a_picture_is_fetched_over_tls_or_not_at_all(settings):
    assert person(settings(), {**ANN, "picture": "http://example.com/a.png"}).picture_url == ""
    assert (
        person(settings(), {**ANN, "picture": "https://example.com/a.png"}).picture_url == "https://example.com/a.png"
    )


@pytest.mark.parametrize("subject", [None, "", 7, "x" * 256])
def test_nobody_is_known_without_a_subject(settings, subject):
    with pytest.raises(ProviderFailure, match="no subject"):
        person(settings(), {**ANN, "sub": subject})


def test_groups_that_are_kept_elsewhere_are_not_no_groups(settings):
    overage = {"sub": "1", "_claim_names": {"groups": "src1"}}
    with pytest.raises(ProviderFailure, match="in so many"):
        person(settings(groups_claim="groups"), overage)
