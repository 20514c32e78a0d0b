"""The command line, a module a group of commands: each reads the settings, calls a stage, prints.
Examples, exit codes and the shapes of `--json` stand in `manual`, of which docs/cli.md is made.
"""
