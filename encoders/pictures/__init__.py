"""Pictures of items to vectors among those of texts: where they come from, what reads them, how
they are placed. Off, and not imported, where no picture model is set.
"""

from encoders.pictures.load import load_pictures, picture_source

__all__ = ["load_pictures", "picture_source"]
