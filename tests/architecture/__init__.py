"""What the code base promises about itself: layers, budgets, licences, start-up time."""
