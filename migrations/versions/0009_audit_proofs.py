"""The audit log is searched by what its events say, and proven by nodes of its tree and checkpoints that carry counts and peaks."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

CURRENT = "nullif(current_setting('plane.tenant', true), '')::uuid"
TEXTS = ("actor", "target", "cluster", "commit")
PARTIAL = {"cluster": "cluster <> ''", "commit": "commit <> ''", "outcome": "outcome <> 'success'"}
INDEXED = ("type", "project_id", "actor", "target", *PARTIAL)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    texts = ", ".join(f"ADD COLUMN {name} text NOT NULL DEFAULT ''" for name in ("type", *TEXTS))
    op.execute(
        f"ALTER TABLE audit_leaves ADD COLUMN at timestamptz NOT NULL DEFAULT now(), {texts}, "
        "ADD COLUMN project_id uuid, ADD COLUMN outcome text NOT NULL DEFAULT 'success'"
    )
    _fill()
    op.execute("ALTER TABLE audit_leaves ALTER COLUMN at DROP DEFAULT, ALTER COLUMN type DROP DEFAULT")
    op.create_index("ix_audit_leaves_tenant_id_at", "audit_leaves", ["tenant_id", "at"])
    for name in INDEXED:
        where = sa.text(PARTIAL[name]) if name in PARTIAL else None
        op.create_index(f"ix_audit_leaves_tenant_id_{name}", "audit_leaves", ["tenant_id", name, "seq"], postgresql_where=where)
    op.execute(
        "ALTER TABLE audit_checkpoints ADD COLUMN key text NOT NULL DEFAULT '', "
        "ADD COLUMN counts bytea NOT NULL DEFAULT '{}', ADD COLUMN peaks bytea NOT NULL DEFAULT ''"
    )
    _nodes()


def _fill() -> None:
    """What the events sealed so far say."""
    said = "convert_from(e.body, 'UTF8')::jsonb"
    fields = {name: f"coalesce({said} ->> '{name}', '')" for name in ("target", "cluster", "commit")}
    fields |= {"actor": f"{said} -> 'actor' ->> 'id'", "outcome": f"coalesce({said} ->> 'outcome', 'success')"}
    values = ", ".join(f"{name} = {value}" for name, value in fields.items())
    op.execute("ALTER TABLE audit_leaves DISABLE TRIGGER append_only")
    op.execute(
        f"UPDATE audit_leaves l SET at = e.at, type = e.type, project_id = e.project_id, {values} "
        "FROM audit_events e WHERE e.tenant_id = l.tenant_id AND e.id = l.event_id"
    )
    op.execute("ALTER TABLE audit_leaves ENABLE TRIGGER append_only")


def _nodes() -> None:
    op.create_table(
        "audit_nodes",
        sa.Column("tenant_id", pg.UUID(as_uuid=False), nullable=False),
        sa.Column("height", sa.BigInteger, nullable=False),
        sa.Column("index", sa.BigInteger, nullable=False),
        sa.Column("hash", pg.BYTEA, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "height", "index", name="pk_audit_nodes"),
    )
    op.execute("ALTER TABLE audit_nodes ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE audit_nodes FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY own ON audit_nodes TO plane_app USING (tenant_id = {CURRENT}) WITH CHECK (tenant_id = {CURRENT})")
    op.execute("GRANT SELECT, INSERT ON audit_nodes TO plane_app")
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_nodes "
        "FOR EACH STATEMENT EXECUTE FUNCTION plane_append_only()"
    )


def downgrade() -> None:
    op.drop_table("audit_nodes")
    op.execute("ALTER TABLE audit_checkpoints DROP COLUMN key, DROP COLUMN counts, DROP COLUMN peaks")
    for name in (*INDEXED, "at"):
        op.drop_index(f"ix_audit_leaves_tenant_id_{name}", table_name="audit_leaves")
    columns = ", ".join(f"DROP COLUMN {name}" for name in ("at", "type", *TEXTS, "project_id", "outcome"))
    op.execute(f"ALTER TABLE audit_leaves {columns}")
