"""Files shared between processes: the register of running mounts and the recent images."""
