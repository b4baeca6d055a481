// Nothing: what is left of an executable when it is not ours.
export {}
