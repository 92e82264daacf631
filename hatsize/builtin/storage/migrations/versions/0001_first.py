"""The first tables."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = ("core",)
depends_on = None

TIME = sa.Text().with_variant(sa.DateTime(timezone=True), "postgresql")
JSON = sa.Text().with_variant(postgresql.JSON(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "tailnet",
        sa.Column("id", sa.BigInteger, nullable=False),
        sa.Column("tailnet", sa.BigInteger, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("display_name", sa.Text, nullable=False),
        sa.Column("created", TIME, nullable=False),
        sa.Column("settings", JSON, nullable=False),
        sa.PrimaryKeyConstraint("tailnet", "id", name="pk_tailnet"),
        sa.UniqueConstraint("name", name="uq_tailnet_name"),
    )
    op.create_table(
        "user",
        sa.Column("id", sa.BigInteger, nullable=False),
        sa.Column("tailnet", sa.BigInteger, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("display_name", sa.Text, nullable=False),
        sa.Column("email", sa.Text, nullable=False),
        sa.Column("picture_url", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("identities", JSON, nullable=False),
        sa.Column("groups", JSON, nullable=False),
        sa.Column("created", TIME, nullable=False),
        sa.PrimaryKeyConstraint("tailnet", "id", name="pk_user"),
        sa.UniqueConstraint("tailnet", "name", name="uq_user_name"),
    )
    op.create_table(
        "node",
        sa.Column("id", sa.BigInteger, nullable=False),
        sa.Column("tailnet", sa.BigInteger, nullable=False),
        sa.Column("stable_id", sa.Text, nullable=False),
        sa.Column("machine_key", sa.Text, nullable=False),
        sa.Column("node_key", sa.Text, nullable=False),
        sa.Column("disco_key", sa.Text, nullable=False),
        sa.Column("given_name", sa.Text, nullable=False),
        sa.Column("user_id", sa.BigInteger, nullable=True),
        sa.Column("tags", JSON, nullable=False),
        sa.Column("ipv4", sa.Text, nullable=True),
        sa.Column("ipv6", sa.Text, nullable=True),
        sa.Column("key_expiry", TIME, nullable=True),
        sa.Column("authorized", sa.Boolean, nullable=False),
        sa.Column("ephemeral", sa.Boolean, nullable=False),
        sa.Column("hostinfo", JSON, nullable=False),
        sa.Column("endpoints", JSON, nullable=False),
        sa.Column("endpoint_types", JSON, nullable=False),
        sa.Column("approved_routes", JSON, nullable=False),
        sa.Column("cap_version", sa.BigInteger, nullable=False),
        sa.Column("created", TIME, nullable=False),
        sa.Column("last_seen", TIME, nullable=True),
        sa.Column("register_method", sa.Text, nullable=False),
        sa.Column("auth_key_id", sa.BigInteger, nullable=True),
        sa.Column("nl_key", sa.Text, nullable=False),
        sa.Column("key_signature", sa.LargeBinary, nullable=False),
        sa.Column("attributes", JSON, nullable=False),
        sa.PrimaryKeyConstraint("tailnet", "id", name="pk_node"),
        sa.UniqueConstraint("tailnet", "given_name", name="uq_node_given_name"),
        sa.UniqueConstraint("tailnet", "ipv4", name="uq_node_ipv4"),
        sa.UniqueConstraint("tailnet", "ipv6", name="uq_node_ipv6"),
        sa.UniqueConstraint("node_key", name="uq_node_node_key"),
        sa.UniqueConstraint("stable_id", name="uq_node_stable_id"),
    )
    op.create_table(
        "credential",
        sa.Column("id", sa.BigInteger, nullable=False),
        sa.Column("tailnet", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("prefix", sa.Text, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
        sa.Column("user_id", sa.BigInteger, nullable=True),
        sa.Column("tags", JSON, nullable=False),
        sa.Column("scopes", JSON, nullable=False),
        sa.Column("reusable", sa.Boolean, nullable=False),
        sa.Column("ephemeral", sa.Boolean, nullable=False),
        sa.Column("preauthorized", sa.Boolean, nullable=False),
        sa.Column("uses", sa.BigInteger, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("created", TIME, nullable=False),
        sa.Column("expires", TIME, nullable=True),
        sa.Column("revoked", TIME, nullable=True),
        sa.Column("last_used", TIME, nullable=True),
        sa.Column("extra", JSON, nullable=False),
        sa.PrimaryKeyConstraint("tailnet", "id", name="pk_credential"),
        sa.UniqueConstraint("prefix", name="uq_credential_prefix"),
    )
    op.create_table(
        "policy",
        sa.Column("id", sa.BigInteger, nullable=False),
        sa.Column("tailnet", sa.BigInteger, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("created", TIME, nullable=False),
        sa.PrimaryKeyConstraint("tailnet", "id", name="pk_policy"),
    )
    op.create_table(
        "dns_settings",
        sa.Column("id", sa.BigInteger, nullable=False),
        sa.Column("tailnet", sa.BigInteger, nullable=False),
        sa.Column("magic_dns", sa.Boolean, nullable=True),
        sa.Column("override_local", sa.Boolean, nullable=True),
        sa.Column("nameservers", JSON, nullable=True),
        sa.Column("split", JSON, nullable=True),
        sa.Column("search_domains", JSON, nullable=True),
        sa.PrimaryKeyConstraint("tailnet", "id", name="pk_dns_settings"),
    )
    op.create_table(
        "dns_record",
        sa.Column("id", sa.BigInteger, nullable=False),
        sa.Column("tailnet", sa.BigInteger, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("ttl", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("tailnet", "id", name="pk_dns_record"),
    )
    op.create_table(
        "share",
        sa.Column("id", sa.BigInteger, nullable=False),
        sa.Column("tailnet", sa.BigInteger, nullable=False),
        sa.Column("node_id", sa.BigInteger, nullable=False),
        sa.Column("to_tailnet", sa.BigInteger, nullable=True),
        sa.Column("to_user", sa.BigInteger, nullable=True),
        sa.Column("invite", sa.Text, nullable=False),
        sa.Column("accepted", TIME, nullable=True),
        sa.Column("allow_exit_node", sa.Boolean, nullable=False),
        sa.Column("created", TIME, nullable=False),
        sa.PrimaryKeyConstraint("tailnet", "id", name="pk_share"),
    )
    op.create_table(
        "service",
        sa.Column("id", sa.BigInteger, nullable=False),
        sa.Column("tailnet", sa.BigInteger, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("addresses", JSON, nullable=False),
        sa.Column("ports", JSON, nullable=False),
        sa.Column("tags", JSON, nullable=False),
        sa.Column("comment", sa.Text, nullable=False),
        sa.Column("annotations", JSON, nullable=False),
        sa.Column("approved_hosts", JSON, nullable=False),
        sa.PrimaryKeyConstraint("tailnet", "id", name="pk_service"),
        sa.UniqueConstraint("tailnet", "name", name="uq_service_name"),
    )
    op.create_table(
        "pending_login",
        sa.Column("id", sa.BigInteger, nullable=False),
        sa.Column("tailnet", sa.BigInteger, nullable=False),
        sa.Column("auth_id", sa.Text, nullable=False),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("machine_key", sa.Text, nullable=False),
        sa.Column("node_key", sa.Text, nullable=False),
        sa.Column("request", sa.LargeBinary, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("user_id", sa.BigInteger, nullable=True),
        sa.Column("node_id", sa.BigInteger, nullable=True),
        sa.Column("created", TIME, nullable=False),
        sa.Column("expires", TIME, nullable=False),
        sa.PrimaryKeyConstraint("tailnet", "id", name="pk_pending_login"),
        sa.UniqueConstraint("auth_id", name="uq_pending_login_auth_id"),
    )
    op.create_table(
        "audit_event",
        sa.Column("id", sa.BigInteger, nullable=False),
        sa.Column("tailnet", sa.BigInteger, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("before", JSON, nullable=True),
        sa.Column("after", JSON, nullable=True),
        sa.PrimaryKeyConstraint("tailnet", "id", name="pk_audit_event"),
    )
    op.create_table(
        "change",
        sa.Column("tailnet", sa.BigInteger, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("puts", JSON, nullable=False),
        sa.Column("deletes", JSON, nullable=False),
        sa.PrimaryKeyConstraint("tailnet", "seq", name="pk_change"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "counter",
        sa.Column("tailnet", sa.BigInteger, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("last", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("tailnet", "name", name="pk_counter"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "secret",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("value", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_secret"),
    )
