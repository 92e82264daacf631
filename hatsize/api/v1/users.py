"""API v1: users."""

from hatsize.api.operation import Area, Call
from hatsize.api.reading import read_id
from hatsize.api.schema import Body, Nothing, Query
from hatsize.api.v1.render import user_json
from hatsize.api.v1.schema import UserAnswer, UsersAnswer
from hatsize.tailnet.commands import users
from hatsize.tailnet.model import User

area = Area("Users")


class CreateUser(Body):
    name: str = ""
    display_name: str = ""
    email: str = ""
    picture_url: str = ""


class DescribeUser(Body):
    """What is left out stays; an empty text takes it away."""

    display_name: str | None = None
    email: str | None = None
    picture_url: str | None = None


class ListUsers(Query):
    id: str = ""
    name: str = ""
    email: str = ""


@area.add("POST", "/user", "createUser", "Make a user")
async def create_user(call: Call, body: CreateUser) -> UserAnswer:
    user = await call.put(
        User,
        lambda state: users.create_user(
            state,
            body.name,
            call.now,
            display_name=body.display_name,
            email=body.email,
            picture_url=body.picture_url,
        ),
    )
    return UserAnswer(user=user_json(user))


@area.add("GET", "/user", "listUsers", "List users, all or by the first of name, email and id that is given")
async def list_users(call: Call, query: ListUsers) -> UsersAnswer:
    user_id = read_id(query.id, "a user") if query.id else 0
    found = users.find_users(call.live.state, user_id=user_id or None, name=query.name, email=query.email)
    return UsersAnswer(users=[user_json(user) for user in found])


@area.add("PUT", "/user/{id}", "setUser", "Set what is shown of a user: display name, e-mail address, picture")
async def set_user(call: Call, id: str, body: DescribeUser) -> UserAnswer:  # noqa: A002 - the path's word
    user_id = read_id(id, "a user")
    await call.run(
        lambda state: users.describe_user(
            state,
            user_id,
            call.now,
            display_name=body.display_name,
            email=body.email,
            picture_url=body.picture_url,
        )
    )
    return UserAnswer(user=user_json(call.live.state.get(User, user_id)))


@area.add("POST", "/user/{oldId}/rename/{newName}", "renameUser", "Rename a user")
async def rename_user(call: Call, old_id: str, new_name: str) -> UserAnswer:
    user_id = read_id(old_id, "a user")
    user = await call.put(User, lambda state: users.rename_user(state, user_id, new_name, call.now))
    return UserAnswer(user=user_json(user))


@area.add("DELETE", "/user/{id}", "deleteUser", "Remove a user who owns no nodes, with their keys")
async def delete_user(call: Call, id: str) -> Nothing:  # noqa: A002 - the path's word
    user_id = read_id(id, "a user")
    await call.run(lambda state: users.delete_user(state, user_id, call.now))
    return Nothing()
