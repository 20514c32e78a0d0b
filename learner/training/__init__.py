"""Test, then train: the replay buffer, losses, negatives and the optimizer. Only the learn process
and the inline engine import it; serve never does.
"""
