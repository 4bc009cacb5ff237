"""The one exception tree: what a request got wrong, and what went wrong with us."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches


class UnderstudyError(Exception):
    """Anything that `understudy` raises on purpose."""

    exit_code = 1


class RequestError(UnderstudyError):
    """The request, its data or its settings are at fault; the message says what to do."""

    exit_code = 2


class SourceError(RequestError):
    """A table could not be read: missing, empty, damaged, too large, or not what its name says."""


class SchemaError(RequestError):
    """A schema contradicts itself or the table that it describes."""


class RuleError(RequestError):
    """A rule of the schema cannot be read or cannot hold."""


class SettingsError(RequestError):
    """A recipe was given an unknown setting or a value outside its bounds."""


class ConditionError(RequestError):
    """The wished conditions cannot be met; the message names the nearest feasible ones."""


class PlanError(RequestError):
    """A plan was refused by its review; the message lists every problem."""


class ArtifactError(RequestError):
    """A stored artifact is damaged, or was written by a newer major format."""


class OutputError(RequestError):
    """The output folder cannot be written, or holds something that must not be overwritten."""


class ResourceError(RequestError):
    """The work would not fit the memory, disk or time that is there."""


class UnknownNameError(RequestError):
    """A name is not in the catalog, schema or vocabulary at hand; suggests the nearest.

    Args:
        kind: what was looked for.
        name: what it was called.
        known: the names that exist, or those of them that come near.
        why: what else there is to say of the name.
        likeness: how alike a suggested name must be, 0 to 1.
    """

    def __init__(
        self, kind: str, name: str, known: Sequence[str], *, why: str = "", likeness: float = 0.5
    ) -> None:
        nearest = get_close_matches(name, known, n=1, cutoff=likeness)
        hint = f" Did you mean {nearest[0]!r}?" if nearest else ""
        reason = f": {why}" if why else ""
        super().__init__(f"no {kind} is called {name!r}{reason}.{hint} Known: {', '.join(known) or 'none'}.")
        self.kind = kind
        self.name = name
        self.nearest = nearest[0] if nearest else None


class LanguageModelError(UnderstudyError):
    """A language model gave no usable answer: not reachable, too slow, broken off, or not of the asked form."""


class StepError(UnderstudyError):
    """A step of a run failed for a reason that is not the request's."""


class KnowledgeError(UnderstudyError):
    """A knowledge file of the package is invalid or names what does not exist; no request causes this."""
