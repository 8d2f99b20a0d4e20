"""Where an event leads, and what has to be done then; a module for each subject. PURE."""
