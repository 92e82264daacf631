"""The live tailnet: its state together with the storage, the clock, the services and those who watch it."""
