"""What flows out of each layer while samples run through the network: distributions, zeros, and maps of one sample."""
