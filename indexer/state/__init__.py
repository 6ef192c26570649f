"""What the chain means so far: a bounded write-back cache over the store, and the meaning of each block."""
