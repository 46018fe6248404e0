"""Stand-ins for the providers, spoken to over their real protocols on this machine: for the demo and the tests."""
