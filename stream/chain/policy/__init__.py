"""What is harmful by the operator's own lists of words: items that say it stand in no list, and
what users write is read without it.
"""

from stream.chain.policy.policy import NO_POLICY, Policy, load_policy

__all__ = ["NO_POLICY", "Policy", "load_policy"]
