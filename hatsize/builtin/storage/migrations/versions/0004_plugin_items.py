"""What plugins keep."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TIME = sa.Text().with_variant(sa.DateTime(timezone=True), "postgresql")


def upgrade() -> None:
    op.create_table(
        "plugin_item",
        sa.Column("id", sa.BigInteger, nullable=False),
        sa.Column("tailnet", sa.BigInteger, nullable=False),
        sa.Column("plugin", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("value", sa.LargeBinary, nullable=False),
        sa.Column("expires", TIME, nullable=True),
        sa.PrimaryKeyConstraint("tailnet", "id", name="pk_plugin_item"),
        sa.UniqueConstraint("tailnet", "plugin", "key", name="uq_plugin_item_key"),
    )
