"""Four independent choices (granularity, criterion, allocation, selection) and one plan."""
