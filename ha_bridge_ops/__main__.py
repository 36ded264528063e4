"""`python -m ha_bridge_ops` is `ha-bridge`."""

from ha_bridge_ops.cli import main

main()
