"""Which text encoder is in force on a prefix, and which ones were: the topic `encoders`."""

from stream.broker.encoders.lineage import Lineage, Named, Said, Word

__all__ = ["Lineage", "Named", "Said", "Word"]
