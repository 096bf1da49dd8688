"""`python -m PETAnomalyLib.engine` is the command line `petanomaly`."""

import sys

from PETAnomalyLib.engine.cli import main

sys.exit(main())
