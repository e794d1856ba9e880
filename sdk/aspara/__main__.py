"""`python -m aspara`: the command `aspara`, where nothing was put on the path."""

import sys

from aspara._cli import main

if __name__ == "__main__":
    sys.exit(main())
