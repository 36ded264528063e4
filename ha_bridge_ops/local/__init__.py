"""What is installed and run on this machine: Home Assistant, Lambda's runtime, SAM."""
