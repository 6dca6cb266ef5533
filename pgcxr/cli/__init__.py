"""The `pgcxr` command: a file for each subcommand, and how options and errors are shown."""
