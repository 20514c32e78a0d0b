"""A model card of the running engine: each figure from its workers or its topics, or `not
measured`.
"""
