"""How fast simulator and stability are beside peers; `make bench` runs both, README.md explains."""
