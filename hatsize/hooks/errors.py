"""What goes wrong with plugins, in words for whoever runs the server."""


class PluginError(Exception):
    """A plugin that cannot be used; the message names it and the mend."""
