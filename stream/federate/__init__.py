"""A federation's processes: a server that never sees an event, and clients with logs of their own,
over NVIDIA FLARE's cells (gRPC, TLS). The only room that imports nvflare.
"""
