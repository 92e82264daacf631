"""Text to document: the one way in for a policy."""

from hatsize.policy.document import Document, Rule
from hatsize.policy.errors import PolicyError, Remark, refusal
from hatsize.policy.names import Names
from hatsize.policy.read_attrs import read_auto_approvers, read_derp_map, read_node_attrs
from hatsize.policy.read_rules import read_acls, read_grants
from hatsize.policy.read_ssh import read_ssh
from hatsize.policy.read_tables import IPSets, read_groups, read_hosts, read_postures, read_tag_owners
from hatsize.policy.read_tests import read_ssh_tests, read_tests
from hatsize.policy.reader import Fields, Reader
from hatsize.wire.hujson_parse import parse
from hatsize.wire.hujson_tree import HuJSONError

FIELDS = (
    "acls", "grants", "ssh", "groups", "hosts", "ipsets", "tagOwners", "autoApprovers", "nodeAttrs", "postures",
    "defaultSrcPosture", "attrConfig", "tests", "sshTests", "derpMap", "disableIPv4", "OneCGNATRoute",
    "randomizeClientPort",
)  # fmt: skip
_ONE_CGNAT = {"", "mac-always", "mac-never"}


def read_document(text: str | bytes, domain: str = "") -> Document:
    """The document of a policy's text.

    `domain` is the tailnet's; where it is empty, `user:*@…` and `localpart:*@…` may name any domain.
    Raises PolicyError for everything that is wrong, and for nothing else than a policy that is.
    """
    raw = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    if not raw.strip():
        return Document()
    try:
        tree = parse(raw)
    except HuJSONError as error:
        remark = Remark(error.reason, error.line, error.column)
        raise PolicyError(str(error), remarks=(remark,)) from None
    reader = Reader(raw)
    document = _document(reader.fields(tree, "the policy", FIELDS), domain)
    if reader.remarks:
        raise refusal(reader.remarks)
    return document


def _document(fields: Fields, domain: str) -> Document:
    reader = fields.reader
    names = Names(reader, domain)
    groups = read_groups(reader, fields.get("groups"))
    hosts = read_hosts(reader, fields.get("hosts"))
    postures = read_postures(reader, fields.get("postures"))
    names.groups, names.hosts, names.postures = set(groups), set(hosts), set(postures)
    names.empty_groups = {name for name, members in groups.items() if not members}
    ipsets = IPSets(names, fields.get("ipsets"), hosts).read()
    tag_owners = read_tag_owners(names, fields.get("tagOwners"))
    default = names.posture_names(fields.texts("defaultSrcPosture"))
    rules, ssh = _rules(names, fields, default), read_ssh(names, fields.get("ssh"), default)
    return Document(
        open_to_all="acls" not in fields and "grants" not in fields,
        rules=rules,
        ssh=ssh,
        groups=groups,
        hosts=hosts,
        ipsets=ipsets,
        tag_owners=tag_owners,
        auto_approvers=read_auto_approvers(names, fields.get("autoApprovers")),
        node_attrs=read_node_attrs(names, fields.get("nodeAttrs")),
        postures=postures,
        attr_config=fields.plain("attrConfig") or {},
        tests=read_tests(reader, fields.get("tests")),
        ssh_tests=read_ssh_tests(reader, fields.get("sshTests")),
        derp_map=read_derp_map(reader, fields.get("derpMap")),
        disable_ipv4=fields.flag("disableIPv4"),
        one_cgnat_route=_one_cgnat(fields),
        randomize_client_port=fields.flag("randomizeClientPort"),
        warnings=tuple(reader.warnings),
    )


def _rules(names: Names, fields: Fields, default: tuple[str, ...]) -> tuple[Rule, ...]:
    return (*read_acls(names, fields.get("acls"), default), *read_grants(names, fields.get("grants"), default))


def _one_cgnat(fields: Fields) -> str:
    text = fields.text("OneCGNATRoute")
    if text is not None and text not in _ONE_CGNAT:
        fields.reader.refuse(text.at, f'OneCGNATRoute "{text}" is not valid', '"mac-always", "mac-never" or ""')
    return str(text or "")
