"""Pictures of energy used, made for a phone's screen."""

from actions.charts.bars import Bar, ChartTexts, Line, bar_chart

__all__ = ["Bar", "ChartTexts", "Line", "bar_chart"]
