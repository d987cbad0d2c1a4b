"""Work in parts that do not need one another, done by several processes, on this machine or on others."""
