"""Contract suites: what every service of a kind must do, as tests a plugin author subclasses."""
