"""What authors of policies do before anybody holds them: import, test, format, begin anew. Local files alone; contacts nothing."""
