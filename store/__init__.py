"""Where users' states and the catalogue are kept: one shared point format, three adapters behind
the ports of `upwell`.

`open_store` chooses the adapter: `memory` (the exact reference), `edge` (Qdrant inside this
process, the default) or `server` (a Qdrant server over gRPC). The only folder that imports qdrant;
it knows nothing about Kafka, models or ranking.
"""

from store.open import open_store
from store.port import Store, StoreHealth

__all__ = ["Store", "StoreHealth", "open_store"]
