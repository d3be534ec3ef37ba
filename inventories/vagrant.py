"""The machines of the Vagrantfile that run, as root by sudo.

vagrant up --provider=libvirt && gostead apply inventories/vagrant.py
"""

machines = [("@vagrant", {"_sudo": True})]
