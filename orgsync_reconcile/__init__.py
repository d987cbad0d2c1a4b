"""Organization Sync as code: keep a secondary org in step with a primary one."""

__version__ = "0.1.0"
