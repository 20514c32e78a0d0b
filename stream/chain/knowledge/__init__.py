"""What the topic `knowledge` says: triples folded into the entries of their items, and rules on
their way to every process. It knows nothing about Kafka, nor of what either is worth in a list.
"""

from stream.chain.knowledge.rules import MOST_RULES, rules_of, rules_told
from stream.chain.knowledge.triples import Known, with_triples

__all__ = ["MOST_RULES", "Known", "rules_of", "rules_told", "with_triples"]
