"""What questions to agents have to say beside objects: msgpack in `Task.terms`. Unknown fields are ignored, new fields have defaults."""

import msgspec


class Subject(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An object as a person names it: `kind` also in small letters or the plural, `group` `core` for the empty one, empty for any.

    Empty `kind`: all of the app.
    """

    kind: str = ""
    name: str = ""
    group: str = ""
    namespace: str = ""


class Logs(Subject, frozen=True, kw_only=True, omit_defaults=True):
    """Whose logs, and which lines; as `views.LogsQuery`. `since_s` 0 and `tail` -1: all."""

    container: str = ""
    all_containers: bool = False
    previous: bool = False
    since_s: int = 0
    since_time: str = ""
    tail: int = -1
    filter: str = ""
    follow: bool = False
    timestamps: bool = False
    max_pods: int = 20
