"""HTTP API v1: the one Headscale's consoles and scripts speak (headscale fact sheet, section 4.1)."""
