"""What is kept on disk: files that are complete or absent, and the count of looks at a test split."""
