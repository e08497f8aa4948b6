"""`python -m ssm_tui` is `ssm-tui`."""

import sys

from ssm_tui.cli import main

sys.exit(main())
