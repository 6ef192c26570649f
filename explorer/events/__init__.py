"""What happens on the chain, told as it happens: one watcher a process, as many listeners as the settings allow."""
