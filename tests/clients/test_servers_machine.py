"""A client on the machine that the server runs on, which Headscale does not support."""

from tests.clients.lab.laboratory import Lab


def test_a_client_on_the_servers_own_machine_is_one_like_all(lab: Lab) -> None:
    own, other = lab.client_on(lab.server.hub), lab.client("other")
    lab.join(own, other)
    other.reach(own.name)
    own.reach(other.name)
    assert own.resolve(other.name) == other.addresses()[0]
    lab.server.stop()
    lab.server.start()
    lab.wait_online(own, other)
    own.reach(other.name)
    other.reach(own.name)
