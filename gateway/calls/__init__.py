"""The calls, by what they are about: a handler of a few lines each, which reads the request, asks a
part, answers. Routes and OpenAPI are made of them (`gateway.app`, `gateway.openapi`).
"""
