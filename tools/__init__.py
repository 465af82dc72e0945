"""What makes something from the project for others. Never installed with it."""
