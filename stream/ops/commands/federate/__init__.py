"""`upwell federate`: its two processes and what the manual says of them."""
