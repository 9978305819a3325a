"""How fast the simulator is beside its peers; `make bench` runs it, README.md explains it."""
