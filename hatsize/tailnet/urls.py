"""What is the URL of a web page."""

from urllib.parse import urlsplit


def is_web_page(text: str) -> bool:
    """Whether a text is an http or https URL."""
    try:
        return urlsplit(text).scheme in ("http", "https")
    except ValueError:
        return False
