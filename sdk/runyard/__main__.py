"""`python -m runyard`, where the command `runyard` is not on the path."""

import sys

from runyard.cli import main

sys.exit(main())
