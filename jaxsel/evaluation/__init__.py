"""What finished runs say: means, standard errors, paired differences."""
