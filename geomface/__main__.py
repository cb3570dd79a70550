"""`python -m geomface`: the same as the `geomface` command."""

import sys

from geomface.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
