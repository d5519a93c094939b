"""What heals a pruned network: batch-norm refresh, fine-tuning, schedules, rewinding, distillation."""
