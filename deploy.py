"""pyinfra inventories/local.py deploy.py"""

from gostead.deploy import go_setup

go_setup()
