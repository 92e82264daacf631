"""When a node's key would expire, had that not been disabled; when its posture attributes are forgotten."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

JSON = sa.Text().with_variant(postgresql.JSON(), "postgresql")
TIME = sa.Text().with_variant(sa.DateTime(timezone=True), "postgresql")


def upgrade() -> None:
    op.add_column("node", sa.Column("former_expiry", TIME, nullable=True))
    op.add_column("node", sa.Column("attribute_expiries", JSON, nullable=True))
