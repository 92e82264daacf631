"""Commands: pure functions from a state and a wish to the change that fulfils it, or a refusal in words."""
