"""What goes over the wire, as pure data and sans-IO machines.

Nothing here does input or output, and nothing here imports another room of hatsize.
"""
