"""The hosted service's Terraform provider, run by OpenTofu: applied, found in place, changed, destroyed."""

import json
import os
from pathlib import Path

import pytest

pytestmark = [pytest.mark.anyio, pytest.mark.slow, pytest.mark.timeout(180)]
TOFU, PROVIDER = os.environ.get("TOFU", ""), os.environ.get("TERRAFORM_PROVIDER_TAILSCALE", "")
CONFIG = """
provider_installation {
  dev_overrides { "registry.opentofu.org/tailscale/tailscale" = "%s" }
  direct {}
}
"""
HEAD = """
terraform {
  required_providers { tailscale = { source = "tailscale/tailscale" } }
}
"""
ACL = """
resource "tailscale_acl" "policy" {
  reset_acl_on_destroy = true
  acl = <<-EOT
    // as a person writes it
    {
      "tagOwners": {"tag:ci": ["alice@"]},
      "grants": [{"src": ["*"], "dst": ["*"], "ip": ["*"]}],
      "tests": [{"src": "alice@", "VERB": ["tag:ci:22"]}],
    }
  EOT
}
"""
PARTS = """
resource "tailscale_dns_nameservers" "all" { nameservers = ["9.9.9.9", "1.1.1.1"] }
resource "tailscale_dns_preferences" "magic" { magic_dns = true }
resource "tailscale_dns_search_paths" "paths" { search_paths = ["lab.example", "corp.example"] }
resource "tailscale_dns_split_nameservers" "corp" {
  domain      = "corp.example"
  nameservers = ["10.0.0.53", "10.0.1.53"]
}
"""
WHOLE = """
resource "tailscale_dns_configuration" "whole" {
  nameservers {
    address = "9.9.9.9"
  }
  nameservers {
    address = "1.1.1.1"
  }
  nameservers {
    address            = "10.0.0.53"
    use_with_exit_node = true
  }
  split_dns {
    domain = "corp.example"
    nameservers {
      address            = "10.1.0.53"
      use_with_exit_node = true
    }
  }
  search_paths       = ["corp.example"]
  override_local_dns = true
}
"""
KEYS = """
resource "tailscale_tailnet_key" "runners" {
  reusable      = true
  ephemeral     = true
  preauthorized = true
  tags          = ["tag:ci"]
  expiry        = 3600
  description   = "for the runners"
}
resource "tailscale_oauth_client" "pusher" {
  description = "pushes policies"
  scopes      = ["policy_file"]
}
output "key" {
  value     = tailscale_tailnet_key.runners.key
  sensitive = true
}
"""
DEVICE = """
data "tailscale_device" "runner" { hostname = "runner" }
resource "tailscale_device_authorization" "runner" {
  device_id  = data.tailscale_device.runner.node_id
  authorized = true
}
resource "tailscale_device_tags" "runner" {
  device_id = data.tailscale_device.runner.node_id
  tags      = ["tag:ci"]
}
resource "tailscale_device_key" "runner" {
  device_id           = data.tailscale_device.runner.node_id
  key_expiry_disabled = true
}
resource "tailscale_device_subnet_routes" "runner" {
  device_id = data.tailscale_device.runner.node_id
  routes    = ["10.0.0.0/24"]
}
"""
SETTINGS = """
resource "tailscale_tailnet_settings" "here" {
  acls_externally_managed_on = true
  acls_external_link         = "https://git.example.com/policy"
  devices_approval_on        = true
  devices_auto_updates_on    = true
  devices_key_duration_days  = 30
  users_approval_on          = USERS_APPROVAL
  regional_routing_on        = false
}
"""
LOOKED_UP = """
data "tailscale_user" "alice" { login_name = "alice@" }
data "tailscale_users" "all" {}
data "tailscale_devices" "runners" { name_prefix = "run" }
output "found" {
  value = [data.tailscale_user.alice.status, data.tailscale_devices.runners.devices[*].hostname]
}
"""
IN_PLACE, CHANGES = 0, 2
"""What `plan -detailed-exitcode` ends with."""


@pytest.fixture
async def tofu(tailnet, credential, tmp_path):
    """Runs a command of OpenTofu on some resources; its exit code, and what it said."""
    if not (TOFU and PROVIDER):
        pytest.skip("TOFU and TERRAFORM_PROVIDER_TAILSCALE name no programs: see tests/apiclients/README.md")
    folder = tmp_path / "tofu"
    folder.mkdir()
    (folder / "tofurc").write_text(CONFIG % Path(PROVIDER).parent)
    env = {"TF_CLI_CONFIG_FILE": str(folder / "tofurc"), "TAILSCALE_BASE_URL": tailnet.url, **credential}

    async def run(command, *resources):
        if resources:
            (folder / "main.tf").write_text(HEAD + "".join(resources))
        done = await tailnet.run(TOFU, *command.split(), "-no-color", env=env, cwd=folder)
        return done.returncode, done.stdout.decode() + done.stderr.decode()

    return run


async def applied(tofu, *resources):
    """Apply resources, and see that they are then in place."""
    code, said = await tofu("apply -auto-approve", *resources)
    assert code == 0, said
    code, said = await tofu("plan -detailed-exitcode")
    assert code == IN_PLACE, said


async def destroyed(tofu):
    code, said = await tofu("destroy -auto-approve")
    assert code == 0, said


async def test_the_policy_is_managed(tofu, tailnet):
    await applied(tofu, ACL.replace("VERB", "accept"))
    assert "// as a person writes it" in tailnet.policy
    code, said = await tofu("plan", ACL.replace("VERB", "deny"))
    assert (code, "test(s) failed" in said) == (1, True), "a plan tells that tests fail"
    await applied(tofu, ACL.replace("VERB", "accept"))
    await destroyed(tofu)
    assert "Nobody has written a policy" in tailnet.policy


async def test_a_policy_that_somebody_else_wrote_is_not_replaced(tofu, tailnet):
    await tailnet.save_policy('{"grants": []}')
    code, said = await tofu("apply -auto-approve", ACL.replace("VERB", "accept"))
    assert (code, "Overwrite Protected" in said) == (1, True)
    assert tailnet.policy == '{"grants": []}'
    assert (await tofu("import tailscale_acl.policy acl"))[0] == 0
    await applied(tofu, ACL.replace("VERB", "accept"))


@pytest.mark.parametrize("resources", [PARTS, WHOLE], ids=["by its parts", "as a whole"])
async def test_dns_is_managed(tofu, resources):
    await applied(tofu, resources)
    code, said = await tofu("plan -detailed-exitcode", resources.replace("corp.example", "labs.example"))
    assert code == CHANGES, said
    await applied(tofu)
    await destroyed(tofu)


async def test_keys_are_managed(tofu, tailnet):
    await applied(tofu, KEYS)
    _, said = await tofu("output -json")
    node = await tailnet.server.client("runner")
    assert (await node.register(json.loads(said)["key"]["value"])).MachineAuthorized
    await destroyed(tofu)


async def test_a_node_is_managed(tofu, tailnet):
    await tailnet.save_policy('{"tagOwners": {"tag:ci": ["alice@"]}}')
    code, said = await tofu("apply -auto-approve", KEYS)
    assert code == 0, said
    _, said = await tofu("output -json")
    node = await tailnet.server.client("runner")
    await node.register(json.loads(said)["key"]["value"])
    await applied(tofu, KEYS, DEVICE)
    # a tagged node keeps its tags until somebody logs it in again, and so this resource cannot be destroyed
    assert (await tofu("state rm tailscale_device_tags.runner"))[0] == 0
    await destroyed(tofu)


async def test_settings_are_managed_and_what_cannot_be_is_told(tofu, tailnet):
    await applied(tofu, SETTINGS.replace("USERS_APPROVAL", "false"))
    assert tailnet.state.tailnet.settings["node.expiry"] == 30
    code, said = await tofu("apply -auto-approve", SETTINGS.replace("USERS_APPROVAL", "true"))
    assert (code, "usersApprovalOn: who may log in is said by" in " ".join(said.split())) == (1, True), said
    await applied(tofu, SETTINGS.replace("USERS_APPROVAL", "false"))
    await destroyed(tofu)


async def test_users_and_nodes_are_looked_up(tofu, tailnet):
    node = await tailnet.server.client("runner")
    await tofu("apply -auto-approve", KEYS)
    _, said = await tofu("output -json")
    await node.register(json.loads(said)["key"]["value"])
    await applied(tofu, KEYS, LOOKED_UP)
    _, said = await tofu("output -json")
    assert json.loads(said)["found"]["value"] == ["active", ["runner"]]
