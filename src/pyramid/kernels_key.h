/* pyramid: template of the integer that orders as a float does: -inf < ... < -0 < 0 < ...
 * < inf < NaN. Parameters: NAME, T, K, BITS (unsigned, as wide as T), NAN_KEY. Consumes
 * BITS and NAN_KEY. */

static inline K FN(raw)(T x) {
    K bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline K FN(key)(K bits) {
    const K top = (K)(((BITS)1 << (8 * sizeof(K) - 1)) - 1);
    const K inf =
        (K)((BITS)NAN_KEY & (BITS)((BITS)NAN_KEY << 1)); /* the exponent's bits */
    K magnitude = bits & top;
    K ordered = bits < 0 ? (K)(bits ^ top) : bits;
    return magnitude > inf ? (K)NAN_KEY : ordered;
}

static inline K FN(key0)(K bits) { /* -0 is the same value as 0 */
    K key = FN(key)(bits);
    return key == -1 ? 0 : key;
}

static inline T FN(unkey)(K k) {
    const K top = (K)(((BITS)1 << (8 * sizeof(K) - 1)) - 1);
    K bits = k < 0 ? (K)(k ^ top) : k;
    T x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* NaN below everything: max ignores it unless it is alone. */
static inline K FN(key_ignored)(K bits) {
    K key = FN(key)(bits);
    const K least = (K)((BITS)1 << (8 * sizeof(K) - 1));
    return key == (K)NAN_KEY ? least : key;
}

static inline T FN(unkey_ignored)(K k) {
    const K least = (K)((BITS)1 << (8 * sizeof(K) - 1));
    return FN(unkey)(k == least ? (K)NAN_KEY : k);
}

#undef BITS
#undef NAN_KEY
