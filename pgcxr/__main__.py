"""`python -m pgcxr`: the `pgcxr` command, also where its script is not on the path."""

from pgcxr.cli.app import main

if __name__ == "__main__":
    main()
