"""What outlives one process: the register of running mounts and the recent images."""
