"""The cluster plugin of Hatsize."""
