"""What a node is sent: state and compiled policy in, encoded map responses out, whole or as a difference. Pure."""
