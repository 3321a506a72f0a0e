"""Right solutions that are written differently from the reference: none of them may lose a point."""

import importlib
import pkgutil

from variants.declare import VARIANTS

__all__ = ["VARIANTS"]

for module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{module.name}")
