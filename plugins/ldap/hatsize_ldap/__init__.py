"""The ldap plugin of Hatsize."""
