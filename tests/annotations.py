"""How the annotations are checked while the tests run: every shape and type that a signature promises."""

from beartype import BeartypeConf, beartype

check = beartype(conf=BeartypeConf(is_pep484_tower=True))  # a whole number will do for a float
