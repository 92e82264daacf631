"""The metrics plugin of Hatsize."""
