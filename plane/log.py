"""Logging, set up once per process: JSON lines to standard error, secrets and credentials masked whatever called for them."""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

HIDDEN = "•••"
NAMES = re.compile(r"(?i)(password|secret|token|authorization|cookie|private|identity|credential)s?$")
PATTERNS = re.compile(
    r"gp_[a-z]+_[0-9A-Za-z]{16,}(?:_[0-9A-Za-z]+)?"  # our own tokens
    r"|AGE-SECRET-KEY-(?:PQ-)?1[0-9A-Z]+"
    r"|hv[sb]\.[0-9A-Za-z_-]{20,}"  # Vault tokens
    r"|eyJ[0-9A-Za-z_-]+\.[0-9A-Za-z_-]+\.[0-9A-Za-z_-]+"  # JWTs
    r"|(?<=://)[^/@\s:]+:[^/@\s]+(?=@)"  # user:password in a URL
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----",
)


def redact(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor: values under telling names and texts that look like credentials are replaced."""
    return {name: HIDDEN if NAMES.search(name) and value else _masked(value) for name, value in event.items()}


def configure(*, level: str = "info", pretty: bool = False) -> None:
    """JSON, or aligned text for a terminal. Libraries' own loggers are heard from warning on."""
    processors: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        redact,
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()) if pretty else structlog.processors.JSONRenderer(sort_keys=True),
    ]
    structlog.configure(
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(
        level=logging.WARNING, stream=sys.stderr, format='{"event":"library.warned","logger":"%(name)s","message":"%(message)s"}'
    )


def _masked(value: object) -> object:
    if isinstance(value, str):
        return PATTERNS.sub(HIDDEN, value)
    if isinstance(value, dict):
        return {key: HIDDEN if NAMES.search(str(key)) and inner else _masked(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_masked(inner) for inner in value]
    return value
