"""From an old script to this function, in place: skill, trigger and devices stay."""
