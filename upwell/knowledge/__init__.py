"""What people know of items beside what users do: triples, and rules by category or value."""

from upwell.knowledge.records import Knowledge, KnowledgeKind
from upwell.knowledge.rules import Rule

__all__ = ["Knowledge", "KnowledgeKind", "Rule"]
