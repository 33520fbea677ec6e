"""What the paper claims, by the topics of the figures' claims."""

TOPICS = {
    "pruning": "There is a relation between subset selection and pruning: a pruned "
    "network is biased to examples of high feature norm (abstract; Appendix F)",
    "norm": "Subsets of high feature norm are better to train on: drawing by norm "
    "beats drawing uniformly (abstract, introduction)",
    "correlation": "Among uniformly drawn subsets, accuracy rises with the mean norm "
    "(introduction)",
    "combination": "The norm criterion and Gram-Schmidt improve other methods when "
    "put on top of them (abstract: “to improve subset selection methods”)",
    "versatile": "It holds across networks, training frameworks and feature domains "
    "(abstract: “on various networks and datasets”)",
    "sota": "New state of the art in most cases (introduction)",
}
# For the page's head.
SCALES_SAID = {
    "cpu": "The scale cpu has, for photographs, the features of a SimCLR that was "
    "trained for an hour on two cores (a ResNet-18 of a quarter the width, 10 epochs; "
    "the paper has 500 at full width), linear probes with 10 to 40 seeds (3 for larger "
    "budgets), networks of an eighth of the width and 60 epochs with 3 seeds, and "
    "semi-supervised runs of 100 steps. What is not resolved at it may "
    "well be at the paper's, and what comes out at it need not come out there.",
    "gpu": "The scale gpu has SimCLR for 100 epochs, networks of the paper's size, and "
    "semi-supervised runs of 15,000 steps of a WRN-28-2.",
    "paper": "The scale paper has the paper's protocol.",
}
