"""`upwell top`: what workers say on `metrics`, how it is read, reckoned and shown."""
