"""`python -m upwell.schemas` writes docs/schemas, or the folder that is named."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from upwell.schemas.asyncapi import asyncapi
from upwell.schemas.events import EVENT_TOPICS, event_schema, schema_id
from upwell.schemas.outputs import OUTPUTS, output_schema

__all__ = ["main", "schema_files"]


def schema_files() -> dict[str, str]:
    """Their text, by name."""
    values = {
        **{schema_id(topic): event_schema(topic) for topic in EVENT_TOPICS},
        **{schema_id(topic): output_schema(topic) for topic in OUTPUTS},
        "asyncapi.json": asyncapi(),
    }
    return {
        name: json.dumps(value, indent=2, ensure_ascii=False) + "\n"
        for name, value in values.items()
    }


def main(arguments: list[str]) -> None:
    """Write the files."""
    folder = Path(*arguments) if arguments else Path("docs", "schemas")
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in schema_files().items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
