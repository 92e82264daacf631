"""The oidc plugin of Hatsize."""
