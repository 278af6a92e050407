"""`python -m hrsnn_brian` is `hrsnn`."""

import sys

from hrsnn_brian.cli.main import main

sys.exit(main())
