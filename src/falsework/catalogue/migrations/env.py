"""Alembic's way in: the connection is that of whoever opens a catalogue (`falsework.catalogue.migrating`)."""

from alembic import context

from falsework.catalogue.schema import VERSION_TABLE, Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    version_table=VERSION_TABLE,
)
context.run_migrations()
