"""A guest who logs in (`merge_user`): what a guest is to whom they turned out to be (`guest`), what
their owners tell each other on `rerouted` (`message`), and an owner's part in a batch (`owners`).
"""

from stream.chain.merge.guest import Forgetting, Merged
from stream.chain.merge.owners import Owners, Told, between_owners

__all__ = ["Forgetting", "Merged", "Owners", "Told", "between_owners"]
