"""Training problems that know their constants; each shows an optimizer one minibatch at a time."""
