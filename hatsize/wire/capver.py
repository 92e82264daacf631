"""Capability versions: which release speaks which, and which are too old (protocol fact sheet, 0.2)."""

MINIMUM = 113
"""The oldest version served: Tailscale 1.80."""

RELEASES = {
    "1.48": 68,
    "1.50": 74,
    "1.52": 79,
    "1.54": 79,
    "1.56": 82,
    "1.58": 85,
    "1.60": 87,
    "1.62": 88,
    "1.64": 90,
    "1.66": 95,
    "1.68": 97,
    "1.70": 102,
    "1.72": 104,
    "1.74": 106,
    "1.76": 106,
    "1.78": 109,
    "1.80": 113,
    "1.82": 115,
    "1.84": 116,
    "1.86": 122,
    "1.88": 125,
    "1.90": 130,
    "1.92": 131,
    "1.94": 131,
    "1.96": 133,
    "1.98": 138,
    "1.100": 141,
    "1.102": 142,
}
"""Release -> the capability version of its first build, oldest first."""


def release(version: int) -> str:
    """The newest release known to speak at most this version; empty for one older than all."""
    return next((name for name, known in reversed(RELEASES.items()) if known <= version), "")


def refusal(version: int) -> str | None:
    """Why a client of this version is not served, to be shown to its user; None when it is."""
    if version >= MINIMUM:
        return None
    known = release(version)
    spoken = f"Tailscale {known}" if known else "This client"
    return f"{spoken} is too old for this server: update the client to {release(MINIMUM)} or newer"
