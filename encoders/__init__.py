"""Text to unit vectors by a pretrained language model; any Hugging Face encoder by name or path,
MiniLM from its package by default.
"""

from encoders.cache import text_sources, tokens_read
from encoders.kept import kept_folder
from encoders.load import load_encoder, model_dimension
from encoders.unknown import Tokens, UnknownTokens, WatchedTitles
from encoders.worker import Gently, busy_seconds, in_bulk

__all__ = [
    "Gently",
    "Tokens",
    "UnknownTokens",
    "WatchedTitles",
    "busy_seconds",
    "in_bulk",
    "kept_folder",
    "load_encoder",
    "model_dimension",
    "text_sources",
    "tokens_read",
]
