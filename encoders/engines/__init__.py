"""What computes a language model beside torch, and what any engine does around it."""
