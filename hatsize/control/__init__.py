"""What clients talk to: `/key`, `/ts2021` and the `/machine/…` endpoints in the tunnel, and the pages people log in
on."""
