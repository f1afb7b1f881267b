"""Reports that appear by themselves: a run is made once a period, alone, and leaves word where it fails."""

from keyaudit.schedule.occasion import Occasion, alone, find_done, occasion

__all__ = ["Occasion", "alone", "find_done", "occasion"]
