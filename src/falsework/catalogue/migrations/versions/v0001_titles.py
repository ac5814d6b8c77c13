"""The first tables: titles and what belongs to them, scenes, delivered shots, imports."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

ID = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "catalogue_state",
        sa.Column("key", NUMBER, autoincrement=False, nullable=False),
        sa.Column("revision", NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_catalogue_state")),
    )
    op.create_table(
        "genres",
        sa.Column("key", NUMBER, autoincrement=False, nullable=False),
        sa.Column("name", ID, nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_genres")),
        sa.UniqueConstraint("name", name=op.f("uq_genres_name")),
    )
    op.create_table(
        "imports",
        sa.Column("key", NUMBER, autoincrement=False, nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("mapping", sa.Text(), nullable=False),
        sa.Column("line", NUMBER, nullable=False),
        sa.Column("rows", NUMBER, nullable=False),
        sa.Column("added", NUMBER, nullable=False),
        sa.Column("changed", NUMBER, nullable=False),
        sa.Column("finished", sa.Boolean(), nullable=False),
        sa.Column("revision", NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_imports")),
        sa.UniqueConstraint("file", "mapping", name=op.f("uq_imports_file_mapping")),
    )
    op.create_table(
        "moods",
        sa.Column("key", NUMBER, autoincrement=False, nullable=False),
        sa.Column("name", ID, nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_moods")),
        sa.UniqueConstraint("name", name=op.f("uq_moods_name")),
    )
    op.create_table(
        "people",
        sa.Column("key", NUMBER, autoincrement=False, nullable=False),
        sa.Column("name", ID, nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_people")),
        sa.UniqueConstraint("name", name=op.f("uq_people_name")),
    )
    op.create_table(
        "removed_titles",
        sa.Column("id", ID, nullable=False),
        sa.Column("revision", NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_removed_titles")),
    )
    op.create_index(op.f("ix_removed_titles_revision"), "removed_titles", ["revision"], unique=False)
    op.create_table(
        "titles",
        sa.Column("key", NUMBER, autoincrement=False, nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("original_title", sa.Text(), nullable=False),
        sa.Column("year", NUMBER, nullable=True),
        sa.Column("synopsis", sa.Text(), nullable=False),
        sa.Column("rating", sa.Text(), nullable=False),
        sa.Column("runtime", NUMBER, nullable=True),
        sa.Column("popularity", sa.Double(), nullable=True),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("revision", NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_titles")),
        sa.UniqueConstraint("id", name=op.f("uq_titles_id")),
    )
    op.create_index(op.f("ix_titles_rating"), "titles", ["rating"], unique=False)
    op.create_index(op.f("ix_titles_revision"), "titles", ["revision"], unique=False)
    op.create_index(op.f("ix_titles_year"), "titles", ["year"], unique=False)
    op.create_table(
        "availability",
        sa.Column("title", NUMBER, nullable=False),
        sa.Column("position", NUMBER, nullable=False),
        sa.Column("territory", sa.Text(), nullable=False),
        sa.Column("starts", MOMENT, nullable=True),
        sa.Column("ends", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["title"], ["titles.key"], name=op.f("fk_availability_title"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("title", "position", name=op.f("pk_availability")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "credits",
        sa.Column("title", NUMBER, nullable=False),
        sa.Column("position", NUMBER, nullable=False),
        sa.Column("person", NUMBER, nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("character", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["person"], ["people.key"], name=op.f("fk_credits_person")),
        sa.ForeignKeyConstraint(["title"], ["titles.key"], name=op.f("fk_credits_title"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("title", "position", name=op.f("pk_credits")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_credits_person"), "credits", ["person"], unique=False)
    op.create_table(
        "import_refusals",
        sa.Column("source", NUMBER, nullable=False),
        sa.Column("line", NUMBER, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["source"], ["imports.key"], name=op.f("fk_import_refusals_source"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("source", "line", name=op.f("pk_import_refusals")),
    )
    op.create_table(
        "seasons",
        sa.Column("key", NUMBER, autoincrement=False, nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("title", NUMBER, nullable=False),
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("year", NUMBER, nullable=True),
        sa.ForeignKeyConstraint(["title"], ["titles.key"], name=op.f("fk_seasons_title"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_seasons")),
        sa.UniqueConstraint("id", name=op.f("uq_seasons_id")),
        sa.UniqueConstraint("title", "number", name=op.f("uq_seasons_title_number")),
    )
    op.create_table(
        "title_countries",
        sa.Column("title", NUMBER, nullable=False),
        sa.Column("position", NUMBER, nullable=False),
        sa.Column("country", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["title"], ["titles.key"], name=op.f("fk_title_countries_title"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("title", "position", name=op.f("pk_title_countries")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_title_countries_country"), "title_countries", ["country"], unique=False)
    op.create_table(
        "title_genres",
        sa.Column("title", NUMBER, nullable=False),
        sa.Column("position", NUMBER, nullable=False),
        sa.Column("genre", NUMBER, nullable=False),
        sa.ForeignKeyConstraint(["genre"], ["genres.key"], name=op.f("fk_title_genres_genre")),
        sa.ForeignKeyConstraint(
            ["title"], ["titles.key"], name=op.f("fk_title_genres_title"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("title", "position", name=op.f("pk_title_genres")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_title_genres_genre"), "title_genres", ["genre"], unique=False)
    op.create_table(
        "title_languages",
        sa.Column("title", NUMBER, nullable=False),
        sa.Column("position", NUMBER, nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["title"], ["titles.key"], name=op.f("fk_title_languages_title"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("title", "position", name=op.f("pk_title_languages")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_title_languages_language"), "title_languages", ["language"], unique=False)
    op.create_table(
        "title_moods",
        sa.Column("title", NUMBER, nullable=False),
        sa.Column("position", NUMBER, nullable=False),
        sa.Column("mood", NUMBER, nullable=False),
        sa.ForeignKeyConstraint(["mood"], ["moods.key"], name=op.f("fk_title_moods_mood")),
        sa.ForeignKeyConstraint(
            ["title"], ["titles.key"], name=op.f("fk_title_moods_title"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("title", "position", name=op.f("pk_title_moods")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_title_moods_mood"), "title_moods", ["mood"], unique=False)
    op.create_table(
        "episodes",
        sa.Column("key", NUMBER, autoincrement=False, nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("season", NUMBER, nullable=False),
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("synopsis", sa.Text(), nullable=False),
        sa.Column("runtime", NUMBER, nullable=True),
        sa.ForeignKeyConstraint(
            ["season"], ["seasons.key"], name=op.f("fk_episodes_season"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_episodes")),
        sa.UniqueConstraint("id", name=op.f("uq_episodes_id")),
        sa.UniqueConstraint("season", "number", name=op.f("uq_episodes_season_number")),
    )
    op.create_table(
        "scenes",
        sa.Column("key", NUMBER, autoincrement=False, nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("title", NUMBER, nullable=False),
        sa.Column("episode", NUMBER, nullable=True),
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("starts", sa.Double(), nullable=True),
        sa.Column("ends", sa.Double(), nullable=True),
        sa.Column("description", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["episode"], ["episodes.key"], name=op.f("fk_scenes_episode"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["title"], ["titles.key"], name=op.f("fk_scenes_title"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_scenes")),
        sa.UniqueConstraint("id", name=op.f("uq_scenes_id")),
    )
    op.create_index(op.f("ix_scenes_episode"), "scenes", ["episode"], unique=False)
    op.create_index(op.f("ix_scenes_title"), "scenes", ["title"], unique=False)
    op.create_table(
        "scene_events",
        sa.Column("scene", NUMBER, nullable=False),
        sa.Column("position", NUMBER, nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["scene"], ["scenes.key"], name=op.f("fk_scene_events_scene"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("scene", "position", name=op.f("pk_scene_events")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_scene_events_event"), "scene_events", ["event"], unique=False)
    op.create_table(
        "scene_moods",
        sa.Column("scene", NUMBER, nullable=False),
        sa.Column("position", NUMBER, nullable=False),
        sa.Column("mood", NUMBER, nullable=False),
        sa.ForeignKeyConstraint(["mood"], ["moods.key"], name=op.f("fk_scene_moods_mood")),
        sa.ForeignKeyConstraint(
            ["scene"], ["scenes.key"], name=op.f("fk_scene_moods_scene"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("scene", "position", name=op.f("pk_scene_moods")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_scene_moods_mood"), "scene_moods", ["mood"], unique=False)
    op.create_table(
        "shots",
        sa.Column("key", NUMBER, autoincrement=False, nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("title", NUMBER, nullable=False),
        sa.Column("scene", NUMBER, nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("cut", sa.Text(), nullable=False),
        sa.Column("frames", NUMBER, nullable=False),
        sa.Column("folder", sa.Text(), nullable=False),
        sa.Column("clearance", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("approved_by", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("judged", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["scene"], ["scenes.key"], name=op.f("fk_shots_scene"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["title"], ["titles.key"], name=op.f("fk_shots_title"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_shots")),
        sa.UniqueConstraint("id", name=op.f("uq_shots_id")),
    )
    op.create_index(op.f("ix_shots_scene"), "shots", ["scene"], unique=False)
    op.create_index(op.f("ix_shots_title"), "shots", ["title"], unique=False)
    # ### end Alembic commands ###
    op.execute("INSERT INTO catalogue_state (key, revision) VALUES (1, 0)")
