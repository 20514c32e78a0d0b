"""Why an item stands in a list, in sentences for people: made of the signals that each entry names,
by a table in their language. It computes no share and changes none.
"""

from upwell.reasons.sentences import Sentences

__all__ = ["Sentences"]
