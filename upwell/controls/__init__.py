"""What a control needs beside its kind, `by` and `why`: one table, of which the check and the JSON
Schema are made.
"""

from upwell.controls.rules import (
    KINDS_OF_OVERRIDES,
    OF_QUARANTINE,
    RULES,
    SCOPES,
    WITH_BOOST,
    Rule,
    check_control,
)

__all__ = [
    "KINDS_OF_OVERRIDES",
    "OF_QUARANTINE",
    "RULES",
    "SCOPES",
    "WITH_BOOST",
    "Rule",
    "check_control",
]
