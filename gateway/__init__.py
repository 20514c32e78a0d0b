"""Upwell over HTTP: events in, lists out, beside a running engine. It speaks to Kafka as any app
does, ranks nothing for users, and keeps nothing on disk. The one top-level folder that imports
starlette and uvicorn (extra `gateway`).
"""
