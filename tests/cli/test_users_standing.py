"""`hatsize users role`, `suspend` and `restore`."""

import pytest

USER = {
    "id": "2", "name": "alice", "createdAt": "2026-03-04T05:06:07Z", "displayName": "", "email": "",
    "providerId": "", "provider": "", "profilePicUrl": "",
}  # fmt: skip
VERBS = {
    "role admin -n alice": ("/user/2/role", {"role": "admin"}, "Role set\n"),
    "role owner -n alice --force": ("/user/2/role", {"role": "owner"}, "Role set\n"),
    "suspend -n alice -r left --force": ("/user/2/suspend", {"reason": "left"}, "User suspended\n"),
    "restore -n alice": ("/user/2/restore", None, "User restored\n"),
}


@pytest.mark.parametrize("words", VERBS)
def test_a_verb_asks_for_what_it_names(hatsize, server, words):
    path, body, sentence = VERBS[words]
    server.answer("GET /user?name=alice", {"users": [USER]})
    server.answer(f"POST {path}", {"user": USER})
    assert hatsize("users", *words.split()).out == sentence
    assert server.asked[-1] == (f"POST {path}", body)


@pytest.mark.parametrize("words", ["role owner -n alice", "suspend -n alice"])
def test_harm_is_not_done_after_a_no(hatsize, server, words):
    server.answer("GET /user?name=alice", {"users": [USER]})
    assert hatsize("users", *words.split(), stdin="n\n").code == 1
    assert [asked for asked, _ in server.asked] == ["GET /user?name=alice"]


def test_what_is_given_is_set_and_no_more(hatsize, server):
    server.answer("GET /user?name=alice", {"users": [USER]})
    server.answer("PUT /user/2", {"user": USER})
    assert hatsize("users", "set", "-n", "alice", "-d", "Alice", "-p", "").out == "User updated\n"
    assert server.asked[-1] == ("PUT /user/2", {"displayName": "Alice", "pictureUrl": ""})
    assert hatsize("users", "set", "-n", "alice").code == 2


def test_what_is_no_role_is_refused_before_the_server_is_asked(hatsize, server):
    assert hatsize("users", "role", "king", "-n", "alice").code == 2
    assert not server.asked


def test_roles_and_who_is_shut_out_are_listed(hatsize, server):
    users = [USER, USER | {"role": "admin", "status": "suspended"}]
    server.answer("GET /user", {"users": users})
    first, second = hatsize("users", "list").out.splitlines()[-2:]
    assert "member" in first
    assert "admin, suspended" in second
