"""Recipes: a stream of one kind, its settings, and what lists are worth on it beside named peers.

It knows nothing about any recipe: each lies in a folder of its own below `recipes/`.
"""
