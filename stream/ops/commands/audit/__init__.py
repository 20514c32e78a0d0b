"""The commands that read the audit log."""
