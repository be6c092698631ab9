/* What the machine can do: the same paths, hedge and costs as keeper.quant.montecarlo for one written call under
 * geometric Brownian motion, with nothing else in the way. Built by montecarlo.py at bench time. */
#include <math.h>
#include <stdint.h>
#include <string.h>

#define LANES 256

static inline double from_bits(uint64_t b) { double d; memcpy(&d, &b, 8); return d; }
static inline uint64_t bits(double d) { uint64_t b; memcpy(&b, &d, 8); return b; }

static inline double exponential(double x)
{
    double c = x > -708.0 ? x : -708.0;
    c = c < 709.0 ? c : 709.0;
    const double rounder = 6755399441055744.0;
    double shifted = fma(c, 1.4426950408889634, rounder), power = shifted - rounder;
    double r = fma(power, -1.9082149292705877e-10, fma(power, -0.6931471803691238, c));
    double p = fma(r, 2.5100472505694996003e-8, 2.7620201591031548792e-7);
    p = fma(r, p, 2.7557268976905696187e-6);
    p = fma(r, p, 0.000024801521057868205199);
    p = fma(r, p, 0.00019841269863171556026);
    p = fma(r, p, 0.0013888888917367080562);
    p = fma(r, p, 0.0083333333333300381973);
    p = fma(r, p, 0.041666666666623820532);
    p = fma(r, p, 0.1666666666666666746);
    p = fma(r, p, 0.50000000000000010314);
    double mantissa = fma(r * r, p, r);
    double scale = from_bits(((bits(shifted) - 0x4338000000000000ULL) << 52) + 0x3FF0000000000000ULL);
    return x > -708.0 ? fma(scale, mantissa, scale) : 0.0;
}

static inline double logarithm(double a)
{
    uint64_t b = bits(a);
    int64_t power = (int64_t)(b >> 52) - 1023;
    double m = from_bits((b & 0x000FFFFFFFFFFFFFULL) | 0x3FF0000000000000ULL);
    int above = m > 1.4142135623730951;
    m = above ? 0.5 * m : m;
    power += above;
    double exponent = from_bits((uint64_t)power + 0x4338000000000000ULL) - 6755399441055744.0;
    double y = (m - 1.0) / (m + 1.0), z = y * y;
    double p = fma(z, 0.14619164777186419874, 0.15331501721207418669);
    p = fma(z, p, 0.18182895746801428563);
    p = fma(z, p, 0.22222211043822486133);
    p = fma(z, p, 0.28571428626533335861);
    p = fma(z, p, 0.39999999999898273395);
    p = fma(z, p, 0.66666666666666697293);
    double series = fma(y * z, p, y + y);
    return fma(exponent, 0.6931471803691238, fma(exponent, 1.9082149292705877e-10, series));
}

static inline double cdf(double x)
{
    double a = x < 0.0 ? -x : x;
    a = a < 40.0 ? a : 40.0;
    double p = fma(a, 8.334063248650998e-07, 2.444014332680639e-05);
    p = fma(a, p, 0.0003552505146552098);
    p = fma(a, p, 0.003317534284768532);
    p = fma(a, p, 0.021848795372317105);
    p = fma(a, p, 0.10550979632228913);
    p = fma(a, p, 0.3775706828593256);
    p = fma(a, p, 0.9892478486781179);
    p = fma(a, p, 1.8228258003394955);
    p = fma(a, p, 2.1504221762411624);
    p = fma(a, p, 1.2533141373155003);
    double q = fma(a, 8.334063248650998e-07, 2.4440143326806417e-05);
    q = fma(a, q, 0.00035608392098006184);
    q = fma(a, q, 0.003341974428097982);
    q = fma(a, q, 0.022202379074045615);
    q = fma(a, q, 0.10877845033795697);
    q = fma(a, q, 0.3987173105256584);
    q = fma(a, q, 1.0883669999952785);
    q = fma(a, q, 2.160189233575119);
    q = fma(a, q, 2.96002561182437);
    q = fma(a, q, 2.513673214433789);
    q = fma(a, q, 1.0);
    double tail = 0.3989422804014327 * exponential(-0.5 * a * a) * (p / q);
    return x < 0.0 ? tail : 1.0 - tail;
}

static inline void normals(double *one, double *other, uint64_t seed, int64_t first, uint64_t step)
{
    for (int i = 0; i < LANES; i++) {
        uint64_t path = (uint64_t)first + (uint64_t)i;
        uint64_t a = path & 0xFFFFFFFFU, b = path >> 32, c = step, d = 0;
        uint64_t k0 = seed & 0xFFFFFFFFU, k1 = seed >> 32;
#pragma GCC unroll 10
        for (int r = 0; r < 10; r++) {
            uint64_t p0 = a * 0xD2511F53U, p1 = c * 0xCD9E8D57U;
            a = (p1 >> 32) ^ b ^ k0, c = (p0 >> 32) ^ d ^ k1;
            b = p1 & 0xFFFFFFFFU, d = p0 & 0xFFFFFFFFU;
            k0 = (k0 + 0x9E3779B9U) & 0xFFFFFFFFU, k1 = (k1 + 0xBB67AE85U) & 0xFFFFFFFFU;
        }
        double u = from_bits(a << 20 | b >> 12 | 0x3FF0000000000000ULL) - 1.0 + 0x1p-53;
        double w = from_bits(c << 20 | d >> 12 | 0x3FF0000000000000ULL) - 1.0 + 0x1p-53;
        double radius = sqrt(-2.0 * logarithm(u));
        double quarters = (4.0 * w + 6755399441055744.0) - 6755399441055744.0;
        double x = (w - 0.25 * quarters) * 6.283185307179586, z = x * x;
        double s = fma(z, -7.647163731819816e-13, 1.6059043836821613e-10);
        s = fma(z, s, -2.505210838544172e-08);
        s = fma(z, s, 2.7557319223985893e-06);
        s = fma(z, s, -0.0001984126984126984);
        s = fma(z, s, 0.008333333333333333);
        s = fma(z, s, -0.16666666666666666);
        double sine = fma(z * s, x, x);
        double e = fma(z, 4.779477332387385e-14, -1.1470745597729725e-11);
        e = fma(z, e, 2.08767569878681e-09);
        e = fma(z, e, -2.755731922398589e-07);
        e = fma(z, e, 2.48015873015873e-05);
        e = fma(z, e, -0.001388888888888889);
        e = fma(z, e, 0.041666666666666664);
        e = fma(z, e, -0.5);
        double cosine = fma(z, e, 1.0);
        int odd = quarters == 1.0 || quarters == 3.0;
        double g = odd ? cosine : sine, h = odd ? sine : cosine;
        g = quarters == 2.0 || quarters == 3.0 ? -g : g;
        h = quarters == 1.0 || quarters == 2.0 ? -h : h;
        one[i] = radius * h;
        other[i] = radius * g;
    }
}

/* out: rows of `paths` numbers: pnl, hedging error, costs, spot, trades. */
void hedged_call(double spot, double strike, double years, double volatility, double rate, double premium,
                 int64_t steps, int64_t paths, uint64_t seed, double *out)
{
    double dt = years / (double)steps, spread = volatility * sqrt(dt);
    double drift = -0.5 * volatility * volatility * dt, k = log(strike / spot);
#pragma omp parallel for schedule(static)
    for (int64_t first = 0; first < paths; first += LANES) {
        double level[LANES] = {0}, price[LANES], hedge[LANES] = {0}, gain[LANES] = {0};
        double cost[LANES] = {0}, trades[LANES] = {0}, z[2][LANES];
        for (int i = 0; i < LANES; i++) price[i] = spot;
        for (int64_t step = 0; step < steps; step++) {
            if (step % 2 == 0) normals(z[0], z[1], seed, first, (uint64_t)step);
            const double *normal = z[step % 2];
            double deviation = volatility * sqrt(years - (double)step * dt), inverse = 1.0 / deviation;
            double shift = 0.5 * deviation - k * inverse;
            for (int i = 0; i < LANES; i++) {
                double target = cdf(level[i] * inverse + shift), size = fabs(target - hedge[i]);
                hedge[i] = target;
                cost[i] += rate * price[i] * size;
                trades[i] += size > 0.0 ? 1.0 : 0.0;
                level[i] += drift + spread * normal[i];
                double after = spot * exponential(level[i]);
                gain[i] += target * (after - price[i]);
                price[i] = after;
            }
        }
        int64_t count = paths - first < LANES ? paths - first : LANES;
        for (int64_t i = 0; i < count; i++) {
            double payoff = price[i] > strike ? price[i] - strike : 0.0, error = premium - payoff + gain[i];
            double *at = out + first + i;
            at[0] = error - cost[i], at[paths] = error, at[2 * paths] = cost[i];
            at[3 * paths] = price[i], at[4 * paths] = trades[i];
        }
    }
}
