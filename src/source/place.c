/* source: where an image lies, from the vectors of its axes: spacing, position and the
 * nearest anatomical direction of each. */
#include "source/kinds.h"

#include <math.h>

static double column_length(double m[3][4], int i) {
    return sqrt(m[0][i] * m[0][i] + m[1][i] * m[1][i] + m[2][i] * m[2][i]);
}

/* The world axis each column runs along: the clearest
 * first, none twice; -1 for an empty column. */
static void nearest_axes(double m[3][4], int world[3]) {
    bool used_row[3] = {false}, used_column[3] = {false};
    for (int i = 0; i < 3; i++)
        world[i] = -1;
    for (int round = 0; round < 3; round++) {
        double best = 0.0;
        int row = -1, column = -1;
        for (int i = 0; i < 9; i++) {
            double length = column_length(m, i / 3);
            double part = length > 0.0 ? fabs(m[i % 3][i / 3]) / length : 0.0;
            if (used_row[i % 3] || used_column[i / 3] || part <= best)
                continue;
            best = part;
            row = i % 3;
            column = i / 3;
        }
        if (column < 0)
            return;
        world[column] = row;
        used_row[row] = used_column[column] = true;
    }
}

bool ngff_source_place(double m[3][4], int i, bool lps, ngff_axis *axis) {
    static const char *const words[3][2] = {
        {"left-to-right", "right-to-left"},
        {"posterior-to-anterior", "anterior-to-posterior"},
        {"inferior-to-superior", "superior-to-inferior"}};
    int world[3];
    nearest_axes(m, world);
    double length = column_length(m, i);
    if (world[i] < 0 || !isfinite(length) || length <= 0.0)
        return false;
    /* The spacing may be in the header twice; the plain number where they are the same.
     */
    if (fabs(length - axis->scale) > 1e-5 * axis->scale)
        axis->scale = length;
    double part = m[world[i]][i];
    bool back = (part < 0.0) != (lps && world[i] < 2);
    axis->translation = m[world[i]][3];
    ngff_copy_text(axis->orientation, sizeof axis->orientation, words[world[i]][back]);
    return fabs(part) < 0.9999 * length;
}
