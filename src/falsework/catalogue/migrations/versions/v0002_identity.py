"""What tells a catalogue from every other one, drawn when it is begun (or brought up to this step)."""

from __future__ import annotations

from uuid import uuid4

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    table = op.create_table(
        "catalogue_identity",
        sa.Column("key", NUMBER, autoincrement=False, nullable=False),
        sa.Column("identity", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_catalogue_identity")),
    )
    op.bulk_insert(table, [{"key": 1, "identity": uuid4().hex}])
