"""The state of a tailnet and the commands that change it. Pure: no input, no output, no clock of its own."""
