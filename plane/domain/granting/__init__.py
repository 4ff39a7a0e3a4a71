"""Who holds which permission where: roles, what they hang on, and policies of other tools that say the same."""
