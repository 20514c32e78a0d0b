"""Events in, lists out: the chain of stages, and by rooms what that run it."""
