"""The dns plugin of Hatsize."""
