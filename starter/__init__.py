"""Where people and other systems come in: command line, web, schedules, and everything on one machine."""
