"""How synthetic data are judged: one module, one question; each answer stands between its anchors."""
