"""What the agent can do: typed tools, one topic a module; nothing here runs a plan or releases data."""
