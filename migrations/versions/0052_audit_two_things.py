"""What somebody did, and what was done to a thing, of a type: found in an index alone, made beside those who write and read."""

from alembic import op

revision = "0052"
down_revision = "0051"
branch_labels = None
depends_on = None

NAMES = ("actor", "target")


def upgrade() -> None:
    _made_anew(" INCLUDE (type, at)")


def downgrade() -> None:
    _made_anew("")


def _made_anew(included: str) -> None:
    """Each step alone: one that broke off leaves an index that nothing uses, and is done again from the beginning."""
    with op.get_context().autocommit_block():
        for name in NAMES:
            index = f"ix_audit_leaves_tenant_id_{name}"
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {index}_new")
            op.execute(f"CREATE INDEX CONCURRENTLY {index}_new ON audit_leaves (tenant_id, {name}, seq){included}")
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {index}")
            op.execute(f"ALTER INDEX {index}_new RENAME TO {index}")
