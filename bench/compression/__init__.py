"""What a smaller text encoder costs, and what smaller vectors of a catalogue."""
