"""The likelihood of GARCH(1,1) and GJR with normal or Student-t residuals, its gradient, and the climb to its maximum.

    h[t] = omega + (rising if e[t-1] >= 0 else falling) e[t-1]^2 + beta h[t-1],   e[t] = r[t] - mean

GARCH(1,1) is rising = falling = alpha (Bollerslev 1986); GJR is rising = alpha, falling = alpha + gamma (Glosten,
Jagannathan and Runkle 1993). The gradient follows from the same recursion, differentiated (Fiorentini, Calzolari and
Panattoni 1996). Before the first return e^2 and h are taken to be `backcast`.

Natural parameters: mean, omega, rising, falling, beta, shape. The climb is made in unbounded ones: mean, ln omega, the
logits of the shares (rising, falling, slack) against beta, and ln(shape - 2.05), so that all positivity and
(rising + falling) / 2 + beta < 1 hold by construction. Without asymmetry rising and falling share one logit.
"""

from __future__ import annotations

from math import exp, lgamma, log, pi

import numpy as np
import numpy.typing as npt

from keeper.quant.compiled import kernel

Floats = npt.NDArray[np.float64]

MEAN, OMEGA, RISING, FALLING, BETA, SHAPE = range(6)
LEAST_SHAPE = 2.05
LARGEST_LOG_SHAPE = 6.2
"""A shape of 500 is normal."""
LARGEST_LOGIT = 20.0
TOLERANCE = 1e-8
"""Log likelihood that a further step promises, at which the climb ends."""
SCORING_STEPS = 4
LONGEST = 3.0
"""Of a step, in any unbounded parameter."""
QUIET = 8
"""So many steps in a row that bring next to nothing end the climb."""
MAX_ITERATIONS = 200
LOG_2PI = log(2.0 * pi)


@kernel
def digamma(x: float) -> float:
    """Derivative of ln Gamma, x > 0: recurrence up to 10, then Stirling's series (Abramowitz and Stegun 6.3.18)."""
    total = 0.0
    while x < 10.0:
        total -= 1.0 / x
        x += 1.0
    y = 1.0 / (x * x)
    series = y * (1 / 12 - y * (1 / 120 - y * (1 / 252 - y * (1 / 240 - y / 132))))
    return total + log(x) - 0.5 / x - series


@kernel
def variances(returns: Floats, natural: Floats, backcast: float, out: Floats) -> None:
    """h[0] to h[n] into `out` (n + 1): the last is that of the return after the last."""
    mean, omega, beta = natural[MEAN], natural[OMEGA], natural[BETA]
    out[0] = omega + (0.5 * (natural[RISING] + natural[FALLING]) + beta) * backcast
    for t in range(returns.shape[0]):
        e = returns[t] - mean
        arch = natural[RISING] if e >= 0.0 else natural[FALLING]
        out[t + 1] = omega + arch * e * e + beta * out[t]


@kernel
def log_likelihood_normal(
    returns: Floats, natural: Floats, backcast: float, score: Floats, information: Floats
) -> float:
    """Log likelihood; fills the score (6) and the expected information (6, 6) in natural parameters."""
    score[:] = 0.0
    information[:] = 0.0
    mean, omega, beta = natural[MEAN], natural[OMEGA], natural[BETA]
    up, down = natural[RISING], natural[FALLING]
    h = omega + (0.5 * (up + down) + beta) * backcast
    dm, do, du, dd, db = 0.0, 1.0, 0.5 * backcast, 0.5 * backcast, backcast
    s0 = s1 = s2 = s3 = s4 = 0.0
    i00 = i10 = i11 = i20 = i21 = i22 = i30 = i31 = i32 = i33 = 0.0
    i40 = i41 = i42 = i43 = i44 = 0.0
    total, product = 0.0, 1.0
    for t in range(returns.shape[0]):
        e = returns[t] - mean
        square = e * e
        inverse = 1.0 / h
        # Logarithms in groups: the product is kept far from the ends of the range.
        product *= h
        if product > 1e100 or product < 1e-100:
            total += log(product)
            product = 1.0
        total += square * inverse
        v = 0.5 * inverse * (square * inverse - 1.0)
        s0 += v * dm + e * inverse
        s1, s2, s3, s4 = s1 + v * do, s2 + v * du, s3 + v * dd, s4 + v * db
        q = 0.5 * inverse * inverse
        qm, qo, qu, qd, qb = q * dm, q * do, q * du, q * dd, q * db
        i00, i10, i11 = i00 + qm * dm + inverse, i10 + qo * dm, i11 + qo * do
        i20, i21, i22 = i20 + qu * dm, i21 + qu * do, i22 + qu * du
        i30, i31, i32, i33 = i30 + qd * dm, i31 + qd * do, i32 + qd * du, i33 + qd * dd
        i40, i41, i42 = i40 + qb * dm, i41 + qb * do, i42 + qb * du
        i43, i44 = i43 + qb * dd, i44 + qb * db
        rising = e >= 0.0
        arch = up if rising else down
        dm, do, db = -2.0 * arch * e + beta * dm, 1.0 + beta * do, h + beta * db
        du = (square if rising else 0.0) + beta * du
        dd = (0.0 if rising else square) + beta * dd
        h = omega + arch * square + beta * h
    score[0], score[1], score[2], score[3], score[4] = s0, s1, s2, s3, s4
    m = information
    m[0, 0], m[1, 0], m[1, 1], m[2, 0], m[2, 1], m[2, 2] = i00, i10, i11, i20, i21, i22
    m[3, 0], m[3, 1], m[3, 2], m[3, 3] = i30, i31, i32, i33
    m[4, 0], m[4, 1], m[4, 2], m[4, 3], m[4, 4] = i40, i41, i42, i43, i44
    _mirror(m)
    return -0.5 * (returns.shape[0] * LOG_2PI + total + log(product))


@kernel
def log_likelihood_student(
    returns: Floats, natural: Floats, backcast: float, score: Floats, information: Floats
) -> float:
    """The same with residuals of unit variance from Student's t (Bollerslev 1987); the information is the sum of the
    products of the single scores."""
    score[:] = 0.0
    information[:] = 0.0
    mean, omega, beta, shape = natural[MEAN], natural[OMEGA], natural[BETA], natural[SHAPE]
    up, down = natural[RISING], natural[FALLING]
    h = omega + (0.5 * (up + down) + beta) * backcast
    d = np.zeros(5)
    d[OMEGA], d[RISING], d[FALLING], d[BETA] = 1.0, 0.5 * backcast, 0.5 * backcast, backcast
    one = np.empty(6)
    less = shape - 2.0
    of_shape = 0.5 * (digamma(0.5 * (shape + 1)) - digamma(0.5 * shape) - 1.0 / less)
    total, product = 0.0, 1.0
    for t in range(returns.shape[0]):
        e = returns[t] - mean
        square = e * e
        inverse = 1.0 / h
        ratio = square * inverse / less
        product *= h
        if product > 1e100 or product < 1e-100:
            total -= 0.5 * log(product)
            product = 1.0
        tail = log(1.0 + ratio)
        total -= 0.5 * (shape + 1.0) * tail
        weight = (shape + 1.0) / (less * (1.0 + ratio))
        v = 0.5 * inverse * (weight * square * inverse - 1.0)
        for i in range(5):
            one[i] = v * d[i]
        one[MEAN] += weight * e * inverse
        one[SHAPE] = of_shape - 0.5 * tail + 0.5 * weight * ratio
        for i in range(6):
            score[i] += one[i]
            for j in range(i + 1):
                information[i, j] += one[i] * one[j]
        rising = e >= 0.0
        arch = up if rising else down
        for i in range(5):
            d[i] *= beta
        d[MEAN] -= 2.0 * arch * e
        d[OMEGA] += 1.0
        d[RISING if rising else FALLING] += square
        d[BETA] += h
        h = omega + arch * square + beta * h
    _mirror(information)
    constant = lgamma(0.5 * (shape + 1.0)) - lgamma(0.5 * shape) - 0.5 * log(pi * less)
    return returns.shape[0] * constant + total - 0.5 * log(product)


@kernel
def _mirror(matrix: Floats) -> None:
    for i in range(matrix.shape[0]):
        for j in range(i):
            matrix[j, i] = matrix[i, j]


@kernel
def to_natural(x: Floats, asymmetric: bool, natural: Floats, jacobian: Floats) -> None:
    """Natural parameters of the unbounded `x` (6) and their derivatives (6 natural, 6 unbounded).

    Without asymmetry x[FALLING] has no meaning.
    """
    jacobian[:] = 0.0
    natural[MEAN], jacobian[MEAN, MEAN] = x[MEAN], 1.0
    natural[OMEGA] = jacobian[OMEGA, OMEGA] = exp(x[OMEGA])
    natural[SHAPE] = LEAST_SHAPE + exp(x[SHAPE])
    jacobian[SHAPE, SHAPE] = exp(x[SHAPE])
    # x[BETA] is the logit of the slack; beta's own is 0.
    a, b, c = exp(x[RISING]), exp(x[FALLING]) if asymmetric else 0.0, exp(x[BETA])
    whole = 1.0 + a + b + c
    a, b, c, beta = a / whole, b / whole, c / whole, 1.0 / whole
    natural[BETA] = beta
    jacobian[BETA, RISING], jacobian[BETA, FALLING], jacobian[BETA, BETA] = (
        -beta * a,
        -beta * b,
        -beta * c,
    )
    if asymmetric:
        # A return rises as often as it falls, so that half of each counts towards persistence.
        natural[RISING], natural[FALLING] = 2.0 * a, 2.0 * b
        jacobian[RISING, RISING], jacobian[RISING, FALLING] = 2.0 * a * (1.0 - a), -2.0 * a * b
        jacobian[FALLING, FALLING], jacobian[FALLING, RISING] = 2.0 * b * (1.0 - b), -2.0 * a * b
        jacobian[RISING, BETA], jacobian[FALLING, BETA] = -2.0 * a * c, -2.0 * b * c
    else:
        natural[RISING] = natural[FALLING] = a
        jacobian[RISING, RISING] = jacobian[FALLING, RISING] = a * (1.0 - a)
        jacobian[RISING, BETA] = jacobian[FALLING, BETA] = -a * c


@kernel
def climb(
    returns: Floats, x: Floats, backcast: float, kind: tuple[bool, bool, bool]
) -> tuple[float, int, bool]:
    """Maximise from `x` (6), in place; kind: asymmetric, student, with a mean.

    Returns log likelihood, steps, converged. Steps solve (matrix + damping x diagonal) step = gradient. The matrix is
    the information for the first steps (Fisher scoring), then what the gradients' own changes teach (Broyden, Fletcher,
    Goldfarb, Shanno): where returns are not what the model says, or a parameter goes to its bound, the information is a
    poor guide.
    """
    asymmetric, student, with_mean = kind
    free = np.array([with_mean, True, True, asymmetric, True, student])
    natural, trial = np.empty(6), x.copy()
    jacobian, score, information = np.empty((6, 6)), np.empty(6), np.empty((6, 6))
    gradient, gradient_new, matrix, step = np.empty(6), np.empty(6), np.empty((6, 6)), np.empty(6)
    to_natural(x, asymmetric, natural, jacobian)
    best = _likelihood(returns, natural, backcast, student, score, information)
    _through(jacobian, score, information, gradient, matrix)
    damping, taken, quiet = 1e-3, 0, 0
    for iteration in range(MAX_ITERATIONS):
        promised = _step(x, gradient, matrix, free, damping, step)
        # A step made short by damping promises little wherever it is.
        if promised < TOLERANCE and damping <= 1.0:
            return best, iteration, True
        trial[:] = x + step
        to_natural(trial, asymmetric, natural, jacobian)
        found = _likelihood(returns, natural, backcast, student, score, information)
        if found >= best:
            taken += 1
            if taken <= SCORING_STEPS:
                _through(jacobian, score, information, gradient, matrix)
            else:
                _turn(jacobian, score, gradient_new)
                _learn(matrix, step, gradient - gradient_new)
                gradient[:] = gradient_new
            # On the flat ridges of returns without memory steps go on for ever and bring nothing.
            quiet = quiet + 1 if found - best < 100 * TOLERANCE else 0
            best = found
            x[:] = trial
            damping *= 0.1
            if quiet == QUIET:
                return best, iteration + 1, True
        else:
            damping = max(10.0 * damping, 1e-4)
            if damping > 1e12:
                return best, iteration, False
    return best, MAX_ITERATIONS, False


@kernel
def _through(
    jacobian: Floats, score: Floats, information: Floats, gradient: Floats, matrix: Floats
) -> None:
    """Score and information in unbounded parameters."""
    _turn(jacobian, score, gradient)
    n = score.shape[0]
    matrix[:] = 0.0
    for i in range(n):
        for a in range(n):
            through = 0.0
            for b in range(n):
                through += information[a, b] * jacobian[b, i]
            for j in range(n):
                matrix[j, i] += jacobian[a, j] * through


@kernel
def _turn(jacobian: Floats, score: Floats, gradient: Floats) -> None:
    """The score in unbounded parameters. Written out: six by six is no work for a library with threads."""
    gradient[:] = 0.0
    for a in range(score.shape[0]):
        for i in range(score.shape[0]):
            gradient[i] += jacobian[a, i] * score[a]


@kernel
def _learn(matrix: Floats, step: Floats, change: Floats) -> None:
    """Update the matrix so that it explains the change of the gradient (minus the new one) along the step.

    Powell's damping keeps it positive definite (Nocedal and Wright 2006, procedure 18.2).
    """
    before = np.zeros(step.shape[0])
    for i in range(step.shape[0]):
        for j in range(step.shape[0]):
            before[i] += matrix[i, j] * step[j]
    curvature = np.sum(step * before)
    if not curvature > 0.0:
        return
    along = np.sum(step * change)
    part = 1.0 if along >= 0.1 * curvature else 0.9 * curvature / (curvature - along)
    mixed = part * change + (1.0 - part) * before
    along = np.sum(step * mixed)
    for i in range(matrix.shape[0]):
        for j in range(matrix.shape[0]):
            matrix[i, j] += mixed[i] * mixed[j] / along - before[i] * before[j] / curvature


@kernel
def _likelihood(
    returns: Floats,
    natural: Floats,
    backcast: float,
    student: bool,
    score: Floats,
    information: Floats,
) -> float:
    if student:
        return log_likelihood_student(returns, natural, backcast, score, information)
    return log_likelihood_normal(returns, natural, backcast, score, information)


@kernel
def _step(
    x: Floats,
    gradient: Floats,
    matrix: Floats,
    free: npt.NDArray[np.bool_],
    damping: float,
    step: Floats,
) -> float:
    """The damped step, within bounds; returns the improvement it promises."""
    n = x.shape[0]
    damped, push = matrix.copy(), gradient.copy()
    for i in range(n):
        highest = LARGEST_LOG_SHAPE if i == SHAPE else LARGEST_LOGIT
        leaves = (x[i] >= highest and push[i] > 0) or (x[i] <= -LARGEST_LOGIT and push[i] < 0)
        if not free[i] or (leaves and i != MEAN):
            push[i] = 0.0
            damped[i, :] = 0.0
            damped[:, i] = 0.0
            damped[i, i] = 1.0
        damped[i, i] += damping * damped[i, i] + 1e-12
    _solve(damped, push, step)
    promised: float = 0.5 * np.sum(step * push)
    step *= min(1.0, LONGEST / max(np.max(np.abs(step)), 1e-300))
    for i in range(n):
        if i != MEAN:
            highest = LARGEST_LOG_SHAPE if i == SHAPE else LARGEST_LOGIT
            step[i] = min(max(step[i], -LARGEST_LOGIT - x[i]), highest - x[i])
    return promised


@kernel
def standard_errors(information: Floats, free: npt.NDArray[np.bool_], errors: Floats) -> None:
    """Roots of the inverse information's diagonal, of mean, omega, alpha, gamma, beta, shape; NaN for what is fixed.

    falling = alpha + gamma: alpha moves rising and falling.
    """
    n = free.shape[0]
    jacobian, matrix, unused = np.eye(n), np.empty((n, n)), np.empty(n)
    jacobian[FALLING, RISING] = 1.0
    _through(jacobian, np.zeros(n), information, unused, matrix)
    for i in range(n):
        if not free[i]:
            matrix[i, :] = 0.0
            matrix[:, i] = 0.0
            matrix[i, i] = 1.0
    column, factor = np.empty(n), np.empty((n, n))
    for i in range(n):
        unit = np.zeros(n)
        unit[i] = 1.0
        factor[:] = matrix
        _solve(factor, unit, column)
        errors[i] = np.sqrt(column[i]) if free[i] and column[i] > 0.0 else np.nan


@kernel
def _solve(matrix: Floats, gradient: Floats, step: Floats) -> None:
    """matrix step = gradient by Cholesky, in place; a pivot lost to rounding is made tiny."""
    n = step.shape[0]
    for i in range(n):
        for j in range(i + 1):
            total = matrix[i, j]
            for m in range(j):
                total -= matrix[i, m] * matrix[j, m]
            matrix[i, j] = np.sqrt(max(total, 1e-14)) if i == j else total / matrix[j, j]
    for i in range(n):
        total = gradient[i]
        for j in range(i):
            total -= matrix[i, j] * step[j]
        step[i] = total / matrix[i, i]
    for i in range(n - 1, -1, -1):
        total = step[i]
        for j in range(i + 1, n):
            total -= matrix[j, i] * step[j]
        step[i] = total / matrix[i, i]
