"""What several files of mistakes here share."""

ON_CPU = "A tensor made without `device=` lives on the CPU: make it where W is (`new_zeros`, `zeros_like`)."


LOG_OF_ZERO = (
    "A class far below the largest has p = 0, and its log is infinite: log p is s - log(sum(exp(s)))."
)
OVERFLOW = (
    "exp of a score in the thousands is infinite, or 0 in a whole row: take each row's own largest off first."
)


def _cross_entropy(p, y):
    return -p.gather(1, y[:, None]).log().mean()
