"""What was worked: projects, milestones, hours."""
