from fixtures.chromium import browser, tabs

__all__ = ["browser", "tabs"]
