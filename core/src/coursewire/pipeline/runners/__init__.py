"""The runners: each decides where jobs run."""
