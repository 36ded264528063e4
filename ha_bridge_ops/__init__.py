"""The command `ha-bridge`, for people who set the bridge up; never shipped."""
