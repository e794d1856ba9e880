"""To be found in `runyard.files.keeper`."""

from runyard.files.keeper import Keeper

__all__ = ["Keeper"]
