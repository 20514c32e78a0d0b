"""What stands on the topics, for machines: JSON Schemas of events and of what Upwell publishes, and
AsyncAPI of the topics, all made of the code; `python -m upwell.schemas` writes docs/schemas.
"""

from upwell.schemas.asyncapi import asyncapi
from upwell.schemas.events import event_schema
from upwell.schemas.outputs import output_schema

__all__ = ["asyncapi", "event_schema", "output_schema"]
