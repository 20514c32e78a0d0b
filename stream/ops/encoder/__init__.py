"""Another text encoder in a running engine: made ready, compared, put into force, taken back."""
