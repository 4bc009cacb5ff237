"""The whole story: plan, review, advise, run, release."""
