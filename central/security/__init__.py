"""What keeps strangers and the impatient out: headers, idle sessions, a limit on failed attempts."""
