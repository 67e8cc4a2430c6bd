"""`python -m orchestro`."""

import sys

from orchestro.cli.start import main

sys.exit(main())
