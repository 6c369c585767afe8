/* The states' colours are told apart, by eyes that see all colours and by those that do not: the
 * distances between any two, recomputed from the style sheets themselves. CIEDE2000 (Sharma, Wu,
 * Dalal 2005) after simulation by Machado, Oliveira, Fernandes (2009) at full severity. */
#include <math.h>
#include <stdio.h>

#include "viewer/palette.h"

struct lab {
    double l, a, b;
};

static double linear(double value)
{
    return value <= 0.04045 ? value / 12.92 : pow((value + 0.055) / 1.055, 2.4);
}

static double pivot(double t)
{
    return t > 216.0 / 24389 ? cbrt(t) : (24389.0 / 27 * t + 16) / 116;
}

static struct lab lab_of(const double rgb[3])
{
    double x = (0.4124564 * rgb[0] + 0.3575761 * rgb[1] + 0.1804375 * rgb[2]) / 0.95047;
    double y = 0.2126729 * rgb[0] + 0.7151522 * rgb[1] + 0.0721750 * rgb[2];
    double z = (0.0193339 * rgb[0] + 0.1191920 * rgb[1] + 0.9503041 * rgb[2]) / 1.08883;
    return (struct lab){116 * pivot(y) - 16, 500 * (pivot(x) - pivot(y)),
                        200 * (pivot(y) - pivot(z))};
}

static double degrees(double radians)
{
    return radians * 180 / G_PI;
}

static double radians(double angle)
{
    return angle * G_PI / 180;
}

static double hue(double a, double b)
{
    if (a == 0 && b == 0)
        return 0;
    double angle = degrees(atan2(b, a));
    return angle < 0 ? angle + 360 : angle;
}

static double distance(struct lab one, struct lab two)
{
    double c1 = hypot(one.a, one.b), c2 = hypot(two.a, two.b), mean = (c1 + c2) / 2;
    double g = 0.5 * (1 - sqrt(pow(mean, 7) / (pow(mean, 7) + pow(25, 7))));
    double a1 = one.a * (1 + g), a2 = two.a * (1 + g);
    c1 = hypot(a1, one.b);
    c2 = hypot(a2, two.b);
    double h1 = hue(a1, one.b), h2 = hue(a2, two.b);
    double dl = two.l - one.l, dc = c2 - c1, dh = h2 - h1;
    if (c1 * c2 == 0)
        dh = 0;
    else if (dh > 180)
        dh -= 360;
    else if (dh < -180)
        dh += 360;
    double dhh = 2 * sqrt(c1 * c2) * sin(radians(dh / 2));
    double l = (one.l + two.l) / 2, c = (c1 + c2) / 2, h = h1 + h2;
    if (c1 * c2 != 0) {
        if (fabs(h1 - h2) > 180)
            h += h < 360 ? 360 : -360;
        h /= 2;
    }
    double t = 1 - 0.17 * cos(radians(h - 30)) + 0.24 * cos(radians(2 * h)) +
               0.32 * cos(radians(3 * h + 6)) - 0.20 * cos(radians(4 * h - 63));
    double turn = 30 * exp(-pow((h - 275) / 25, 2));
    double rc = 2 * sqrt(pow(c, 7) / (pow(c, 7) + pow(25, 7)));
    double sl = 1 + 0.015 * pow(l - 50, 2) / sqrt(20 + pow(l - 50, 2));
    double sc = 1 + 0.045 * c, sh = 1 + 0.015 * c * t;
    double rt = -sin(radians(2 * turn)) * rc;
    return sqrt(pow(dl / sl, 2) + pow(dc / sc, 2) + pow(dhh / sh, 2) + rt * (dc / sc) * (dhh / sh));
}

static const struct {
    const char *name;
    double matrix[3][3];
} sights[] = {
    {"normal", {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}},
    {"protan",
     {{0.152286, 1.052583, -0.204868},
      {0.114503, 0.786281, 0.099216},
      {-0.003882, -0.048116, 1.051998}}},
    {"deutan",
     {{0.367322, 0.860646, -0.227968},
      {0.280085, 0.672501, 0.047413},
      {-0.011820, 0.042940, 0.968881}}},
    {"tritan",
     {{1.255528, -0.076749, -0.178779},
      {-0.078411, 0.930809, 0.147602},
      {0.004733, 0.691367, 0.303900}}},
};

static struct lab seen(const GdkRGBA *color, unsigned sight)
{
    double from[3] = {linear(color->red), linear(color->green), linear(color->blue)}, to[3];
    for (int i = 0; i < 3; i++) {
        to[i] = 0;
        for (int k = 0; k < 3; k++)
            to[i] += sights[sight].matrix[i][k] * from[k];
        to[i] = CLAMP(to[i], 0, 1);
    }
    return lab_of(to);
}

/* The least distance between any two states, over all kinds of sight. */
static double least(const char *theme)
{
    struct reel_palette palette;
    double smallest = 1000;
    if (!reel_palette_load(&palette, theme))
        return 0;
    for (unsigned sight = 0; sight < G_N_ELEMENTS(sights); sight++)
        for (unsigned a = 0; a < REEL_STATE_ROLE_GAP; a++)
            for (unsigned b = a + 1; b < REEL_STATE_ROLE_GAP; b++) {
                double apart =
                    distance(seen(&palette.role[a], sight), seen(&palette.role[b], sight));
                if (apart < smallest) {
                    smallest = apart;
                    printf("%s, %s sight: %s and %s are %.1f apart\n", theme, sights[sight].name,
                           reel_state_role_name(a), reel_state_role_name(b), apart);
                }
            }
    return smallest;
}

int main(void)
{
    /* A pair of the paper's own examples: the formula is the formula. */
    double known = distance((struct lab){50, 2.6772, -79.7751}, (struct lab){50, 0, -82.7485});
    if (fabs(known - 2.0425) > 0.0001) {
        printf("CIEDE2000 of a known pair is %.4f instead of 2.0425\n", known);
        return 1;
    }
    static const struct {
        const char *theme;
        double wanted;
    } themes[] = {{"light", 22.5}, {"dark", 17.5}, {"contrast", 18}};
    int failed = 0;
    for (unsigned i = 0; i < G_N_ELEMENTS(themes); i++) {
        double smallest = least(themes[i].theme);
        printf("%s: %.1f, wanted %.1f\n", themes[i].theme, smallest, themes[i].wanted);
        failed += smallest < themes[i].wanted;
    }
    return failed ? 1 : 0;
}
