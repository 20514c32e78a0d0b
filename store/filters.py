"""What an `ItemFilter` means: the plain evaluation that every adapter's compiled filter agrees
with. It knows no backend.
"""

from __future__ import annotations

from upwell.ports import ItemFilter
from upwell.values import CatalogueItem

__all__ = ["matches"]


def matches(item: CatalogueItem, where: ItemFilter) -> bool:
    """Whether a search may return the item.

    An item without a price is outside every price range.
    """
    if where.available is not None and item.available != where.available:
        return False
    if where.categories_any and not set(where.categories_any) & set(item.categories):
        return False
    if where.brand is not None and item.brand != where.brand:
        return False
    if item.item_id in where.exclude:
        return False
    if where.price_min is not None and (item.price is None or item.price < where.price_min):
        return False
    return where.price_max is None or (item.price is not None and item.price <= where.price_max)
