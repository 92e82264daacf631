"""Metrics of a Hatsize server, for Prometheus."""
