"""python -m gostead"""

from gostead.cli import script

script()
