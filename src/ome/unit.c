/* ome: units by their UDUNITS names (AX-6, pixels.md 18). */
#include "ome/ome.h"

typedef struct prefix {
    const char *name;
    const char *symbol;
} prefix;

/* The specification's lists hold neither decameter nor decasecond. */
static const prefix prefixes[] = {
    {"", ""},       {"yocto", "y"},
    {"zepto", "z"}, {"atto", "a"},
    {"femto", "f"}, {"pico", "p"},
    {"nano", "n"},  {"micro", "u"},
    {"micro", "µ"}, {"micro", "\u03bc"} /* Greek mu */,
    {"milli", "m"}, {"centi", "c"},
    {"deci", "d"},  {"hecto", "h"},
    {"kilo", "k"},  {"mega", "M"},
    {"giga", "G"},  {"tera", "T"},
    {"peta", "P"},  {"exa", "E"},
    {"zetta", "Z"}, {"yotta", "Y"},
};

typedef struct alias {
    const char *text;
    const char *name;
} alias;

static const alias space_aliases[] = {
    {"angstrom", "angstrom"}, {"angstroms", "angstrom"}, {"Å", "angstrom"},
    {"\u212b", "angstrom"},   {"micron", "micrometer"},  {"microns", "micrometer"},
    {"foot", "foot"},         {"feet", "foot"},          {"ft", "foot"},
    {"inch", "inch"},         {"inches", "inch"},        {"in", "inch"},
    {"mile", "mile"},         {"miles", "mile"},         {"mi", "mile"},
    {"parsec", "parsec"},     {"parsecs", "parsec"},     {"pc", "parsec"},
    {"yard", "yard"},         {"yards", "yard"},         {"yd", "yard"},
};

static const alias time_aliases[] = {
    {"day", "day"},          {"days", "day"},         {"d", "day"},
    {"hour", "hour"},        {"hours", "hour"},       {"hr", "hour"},
    {"h", "hour"},           {"minute", "minute"},    {"min", "minute"},
    {"sec", "second"},       {"secs", "second"},      {"minutes", "minute"},
    {"msec", "millisecond"}, {"usec", "microsecond"},
};

static char lower(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool same_word(const char *a, const char *b) {
    while (*a && lower(*a) == lower(*b)) {
        a++;
        b++;
    }
    return *a == *b;
}

/* A one-letter alias is a symbol, where case matters; longer ones are words. */
static bool from_aliases(const alias *list, size_t count, const char *text,
                         char out[32]) {
    for (size_t i = 0; i < count; i++) {
        bool word = strlen(list[i].text) > 1;
        if (word ? same_word(text, list[i].text) : strcmp(text, list[i].text) == 0) {
            ngff_copy_text(out, 32, list[i].name);
            return true;
        }
    }
    return false;
}

/* Is `text` = prefix + one of the spellings? The words ignore case, the symbol does not.
 */
static bool with_prefix(const char *text, const prefix *p, const char *symbol,
                        const char *const words[]) {
    if (ngff_starts_with(text, p->symbol) &&
        strcmp(text + strlen(p->symbol), symbol) == 0)
        return true;
    size_t len = strlen(p->name);
    for (size_t i = 0; i < len; i++) {
        if (lower(text[i]) != p->name[i])
            return false;
    }
    for (size_t i = 0; words[i]; i++) {
        if (same_word(text + len, words[i]))
            return true;
    }
    return false;
}

static bool from_prefixed(const char *text, const char *symbol, const char *const words[],
                          char out[32]) {
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
        if (!with_prefix(text, &prefixes[i], symbol, words))
            continue;
        ngff_copy_text(out, 32, prefixes[i].name);
        size_t used = strlen(out);
        ngff_copy_text(out + used, 32 - used, words[0]);
        return true;
    }
    return false;
}

static bool space_unit(const char *text, char out[32]) {
    static const char *const words[] = {"meter", "metre", "meters", "metres", NULL};
    size_t count = sizeof space_aliases / sizeof space_aliases[0];
    return from_aliases(space_aliases, count, text, out) ||
           from_prefixed(text, "m", words, out);
}

static bool time_unit(const char *text, char out[32]) {
    static const char *const words[] = {"second", "seconds", NULL};
    size_t count = sizeof time_aliases / sizeof time_aliases[0];
    return from_aliases(time_aliases, count, text, out) ||
           from_prefixed(text, "s", words, out);
}

bool ngff_ome_unit(const char *text, const char *axis_type, char out[32]) {
    out[0] = '\0';
    if (text[0] == '\0')
        return true;
    bool space = strcmp(axis_type, "time") != 0;
    bool time = strcmp(axis_type, "space") != 0;
    if (space && space_unit(text, out))
        return true;
    if (time && time_unit(text, out))
        return true;
    ngff_copy_text(out, 32, text);
    return false;
}
