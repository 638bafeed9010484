"""Soaks: real clusters under real faults for minutes (`soak`), and storms of kill -9 (`storm`)."""
