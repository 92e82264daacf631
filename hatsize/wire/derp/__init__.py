"""DERP, the relay protocol, as bytes: frames, the handshake's boxes, and the splitter of a stream."""
