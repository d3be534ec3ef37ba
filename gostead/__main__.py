"""python -m gostead"""

import sys

from gostead.cli import main

sys.exit(main())
