"""What every use case gets: the database, the clock and the ports, filled by run/."""

from collections.abc import Mapping

import msgspec

from plane import ports
from plane.domain import trust
from plane.domain.granting import login
from plane.server.limits import Limits
from plane.server.recent import Recent
from plane.server.shares import Shares
from plane.store import engine


class Plane(msgspec.Struct, frozen=True):
    """One process's view of the outside. `plane_id` is the audience of agent tokens and the origin of checkpoints."""

    engine: engine.Engine
    clock: ports.Clock
    git: ports.Git
    registry: ports.OpenRegistry
    renderers: Mapping[str, ports.Renderer]
    pool: ports.RenderPool
    sops: ports.Sops
    vault: ports.SecretBackend
    sealer: ports.Sealer
    envelope: ports.Envelope
    policies: ports.PolicyEngine
    scripts: ports.Scripts
    signer: ports.Signer
    log_signer: ports.LogSigner
    plane_id: str
    identities: ports.Identities
    passwords: ports.Passwords
    recent: Recent = msgspec.field(default_factory=Recent)
    limits: Limits = msgspec.field(default_factory=Limits)
    shares: Shares = msgspec.field(default_factory=Shares)
    logins: login.Settings = login.Settings()
    policy_keys: tuple[trust.Trusted, ...] = ()  # that the platform's policy bundles are signed with
    sinks: Mapping[str, ports.Sink] = {}  # by the name of the place in a sink's spec
