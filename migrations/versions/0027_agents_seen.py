"""What shows a cloned agent, a stolen join token and a request made twice; how old keys are, and how far an agent is behind."""

from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None



def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute(
        "ALTER TABLE agents ADD COLUMN keyed_at timestamptz NOT NULL DEFAULT now(), ADD COLUMN term text NOT NULL DEFAULT '', "
        "ADD COLUMN former_terms text[] NOT NULL DEFAULT '{}', ADD COLUMN quarantine text NOT NULL DEFAULT '', "
        "ADD COLUMN lag_ms bigint NOT NULL DEFAULT 0"
    )
    op.execute("UPDATE agents SET keyed_at = enrolled_at")
    op.execute("GRANT SELECT (installation, term, former_terms, quarantine) ON agents TO plane_dispatch")
    op.execute("GRANT UPDATE (term, former_terms, lag_ms) ON agents TO plane_dispatch")
    op.execute("ALTER TABLE clusters ADD COLUMN nodes bigint NOT NULL DEFAULT 0")
    op.execute("ALTER TABLE join_tokens ADD COLUMN refused_at timestamptz")
    # Unlogged: after a crash of the database the tokens of the last minute are unknown, and those are bound to their exact request.
    op.execute(
        "CREATE UNLOGGED TABLE agent_requests (agent_id uuid NOT NULL, jti text NOT NULL, until timestamptz NOT NULL, "
        "CONSTRAINT pk_agent_requests PRIMARY KEY (agent_id, jti))"
    )
    op.execute("CREATE INDEX ix_agent_requests_until ON agent_requests (until)")
    op.execute("ALTER TABLE agent_requests ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE agent_requests FORCE ROW LEVEL SECURITY")
    op.execute("CREATE POLICY dispatch ON agent_requests TO plane_dispatch USING (true) WITH CHECK (true)")
    op.execute("GRANT SELECT, INSERT, DELETE ON agent_requests TO plane_dispatch")
    op.execute("GRANT SELECT ON agent_requests TO plane_app")  # no policy: it sees no row


def downgrade() -> None:
    op.execute("DROP TABLE agent_requests")
    op.execute("ALTER TABLE join_tokens DROP COLUMN refused_at")
    op.execute("ALTER TABLE clusters DROP COLUMN nodes")
    for column in ("keyed_at", "term", "former_terms", "quarantine", "lag_ms"):
        op.execute(f"ALTER TABLE agents DROP COLUMN {column}")
