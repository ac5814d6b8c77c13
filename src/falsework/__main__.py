"""`python -m falsework`."""

import sys

from falsework.cli.main import main

sys.exit(main())
