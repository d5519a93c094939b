"""Networks of other libraries (transformers, timm, torchvision), each imported where it is used and nowhere else."""
