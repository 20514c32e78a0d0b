"""Commands by which an operator looks after what is harmful, private, fair."""
