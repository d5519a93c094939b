"""What recovers a pruned network: batch-norm refresh, fine-tuning, schedules, rewinding, distillation."""
