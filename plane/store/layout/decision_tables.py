"""The tables of what policy decided, and of what decisions rest on."""

import sqlalchemy as sa

from plane.store.layout import columns

METADATA = columns.METADATA

decisions = sa.Table(
    "decisions",
    METADATA,
    columns.ident("tenant_id"),
    columns.ident(),  # of the release row whose verdict it is
    columns.ident("project_id"),
    columns.ident("app_id"),
    columns.time("made_at", null=False),
    columns.text("cluster"),
    columns.text("release"),  # its digest
    columns.text("commit"),
    columns.text("signature"),
    columns.text("word"),  # domain.decisions.Word
    columns.json("verdict"),  # domain.policy.Verdict
    columns.text("outcome"),  # digest of the verdict
    columns.text("input"),  # digest of all that was asked
    columns.json("context"),  # domain.policy.PolicyContext
    columns.text("terms"),  # digest of domain.decisions.Terms
    columns.json("questions"),  # list of domain.decisions.Question
    columns.text("engine"),
    columns.number("duration_us"),
    columns.text("actor"),
    columns.text("on_behalf_of", default=""),
    columns.text("trigger"),
    columns.ident("previous", null=True),
    columns.tenant_key("id"),
    columns.of_app(),
    sa.Index("ix_decisions_tenant_id_made_at", "tenant_id", "made_at", "id"),
    sa.Index("ix_decisions_tenant_id_app_id_made_at", "tenant_id", "app_id", "made_at"),
)

policy_grounds = sa.Table(  # canonical JSON by its digest, and the texts of policy sets by the set's
    "policy_grounds",
    METADATA,
    columns.ident("tenant_id"),
    columns.text("digest"),
    columns.blob("body"),
    columns.time("used_at", null=False, now=True),  # to the day
    columns.tenant_key("digest"),
)

findings = sa.Table(
    "findings",
    METADATA,
    columns.ident("tenant_id"),
    columns.ident(),  # rises with the time of opening
    columns.ident("project_id"),
    columns.ident("app_id"),
    *(columns.text(name) for name in ("key", "policy", "rule", "object", "mode", "severity", "message", "by", "waiver")),
    columns.number("count"),
    columns.time("first_seen", null=False),
    columns.time("last_seen", null=False),
    columns.time("closed_at"),
    columns.tenant_key("id"),
    sa.UniqueConstraint("tenant_id", "app_id", "key"),
    columns.of_app(),
)

previews = sa.Table(
    "previews",
    METADATA,
    columns.ident("tenant_id"),  # NIL: of all tenants
    columns.number("number"),
    columns.text("actor"),
    columns.time("made_at", null=False),
    columns.time("ended_at"),
    columns.json("asked"),  # domain.previews.Asked
    columns.json("files"),
    columns.json("counts"),  # domain.decisions.Word → apps
    columns.number("total"),
    columns.number("done"),
    columns.ident("last_tenant", null=True),  # where to go on
    columns.ident("last_app", null=True),
    columns.tenant_key("number"),
)

preview_results = sa.Table(  # of apps that would not simply be allowed
    "preview_results",
    METADATA,
    columns.ident("tenant_id"),
    columns.number("number"),
    columns.ident("app_id"),
    *(columns.text(name) for name in ("tenant", "project", "app", "cluster", "owner", "word")),
    columns.json("found"),  # list of domain.previews.Found
    columns.tenant_key("number", "app_id"),
    sa.ForeignKeyConstraint(["tenant_id", "number"], ["previews.tenant_id", "previews.number"], ondelete="CASCADE"),
)
