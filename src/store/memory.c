/* store: values in memory. A hash table under one mutex; a value is never changed once it
 * is in, so readers copy outside the lock while they hold a reference. */
#include "store/inside.h"

typedef struct value {
    size_t refs;
    size_t size;
    unsigned char bytes[];
} value;

typedef struct entry {
    struct entry *next;
    uint64_t hash;
    value *value;
    char key[];
} entry;

typedef struct memory_store {
    ngff_store base;
    ngff_mutex *mutex;
    entry **slots; /* a power of two of them */
    size_t slot_count, count;
} memory_store;

#define FIRST_SLOTS ((size_t)64)

static uint64_t hash_of(const char *key) { /* FNV-1a */
    uint64_t h = 14695981039346656037u;
    for (; *key; key++)
        h = (h ^ (unsigned char)*key) * 1099511628211u;
    return h ^ h >> 29;
}

/* The link that points to the key's entry, or to NULL at the end of its chain. */
static entry **find(memory_store *m, const char *key, uint64_t hash) {
    entry **link = &m->slots[hash & (m->slot_count - 1)];
    while (*link && ((*link)->hash != hash || strcmp((*link)->key, key) != 0))
        link = &(*link)->next;
    return link;
}

/* Called with the mutex held. */
static void unref(memory_store *m, value *v) {
    assert(v->refs > 0);
    if (--v->refs == 0)
        ngff_free(m->base.alloc, v);
}

static ngff_status missing(ngff_error *err) {
    return ngff_fail(err, NGFF_NOT_FOUND, "no such key");
}

static value *take_ref(memory_store *m, const char *key) {
    ngff_mutex_lock(m->mutex);
    entry *e = *find(m, key, hash_of(key));
    value *v = e ? e->value : NULL;
    if (v)
        v->refs++;
    ngff_mutex_unlock(m->mutex);
    return v;
}

static ngff_status memory_get(ngff_store *s, const char *key, uint64_t off, size_t size,
                              void *out, size_t *got, ngff_error *err) {
    memory_store *m = (memory_store *)s;
    value *v = take_ref(m, key);
    if (!v)
        return missing(err);
    size_t left = off < v->size ? v->size - (size_t)off : 0;
    *got = size < left ? size : left;
    if (*got)
        memcpy(out, v->bytes + off, *got);
    ngff_mutex_lock(m->mutex);
    unref(m, v);
    ngff_mutex_unlock(m->mutex);
    return NGFF_OK;
}

static ngff_status memory_size(ngff_store *s, const char *key, uint64_t *size,
                               ngff_error *err) {
    memory_store *m = (memory_store *)s;
    ngff_mutex_lock(m->mutex);
    entry *e = *find(m, key, hash_of(key));
    *size = e ? e->value->size : 0;
    ngff_mutex_unlock(m->mutex);
    return e ? NGFF_OK : missing(err);
}

/* A table that cannot grow only gets slower. */
static void grow(memory_store *m) {
    size_t slot_count = m->slot_count * 2;
    entry **slots = ngff_calloc(m->base.alloc, slot_count, sizeof *slots);
    if (!slots)
        return;
    for (size_t i = 0; i < m->slot_count; i++) {
        for (entry *e = m->slots[i], *next; e; e = next) {
            entry **head = &slots[e->hash & (slot_count - 1)];
            next = e->next;
            e->next = *head;
            *head = e;
        }
    }
    ngff_free(m->base.alloc, m->slots);
    m->slots = slots;
    m->slot_count = slot_count;
}

/* Takes over `e` and its value. */
static void insert(memory_store *m, entry *e) {
    ngff_mutex_lock(m->mutex);
    entry **link = find(m, e->key, e->hash);
    entry *old = *link;
    e->next = old ? old->next : NULL;
    *link = e;
    if (old) {
        unref(m, old->value);
        ngff_free(m->base.alloc, old);
    } else if (++m->count > m->slot_count) {
        grow(m);
    }
    ngff_mutex_unlock(m->mutex);
}

static ngff_status memory_put(ngff_store *s, const char *key, const void *data,
                              size_t size, ngff_error *err) {
    memory_store *m = (memory_store *)s;
    size_t key_size = strlen(key) + 1;
    size_t value_size;
    entry *e = ngff_alloc(s->alloc, sizeof *e + key_size);
    value *v = ngff_add_size(sizeof *v, size, &value_size)
                   ? ngff_alloc(s->alloc, value_size)
                   : NULL;
    if (!e || !v) {
        ngff_free(s->alloc, e);
        ngff_free(s->alloc, v);
        return ngff_fail_nomem(err, "a value in memory", size);
    }
    v->refs = 1;
    v->size = size;
    if (size)
        memcpy(v->bytes, data, size);
    e->value = v;
    e->hash = hash_of(key);
    memcpy(e->key, key, key_size);
    insert(m, e);
    return NGFF_OK;
}

static ngff_status memory_erase(ngff_store *s, const char *key, ngff_error *err) {
    memory_store *m = (memory_store *)s;
    ngff_mutex_lock(m->mutex);
    entry **link = find(m, key, hash_of(key));
    entry *e = *link;
    if (e) {
        *link = e->next;
        m->count--;
        unref(m, e->value);
        ngff_free(s->alloc, e);
    }
    ngff_mutex_unlock(m->mutex);
    return e ? NGFF_OK : missing(err);
}

static ngff_status collect(memory_store *m, const char *prefix, ngff_store_children *c,
                           ngff_error *err) {
    for (size_t i = 0; i < m->slot_count; i++) {
        for (const entry *e = m->slots[i]; e; e = e->next)
            NGFF_TRY(ngff_store_children_add(c, prefix, e->key, err));
    }
    return NGFF_OK;
}

static ngff_status memory_list(ngff_store *s, const char *prefix, ngff_store_list_fn fn,
                               void *user, ngff_error *err) {
    memory_store *m = (memory_store *)s;
    ngff_store_children children;
    ngff_store_children_init(&children, s->alloc);
    ngff_mutex_lock(m->mutex);
    ngff_status status = collect(m, prefix, &children, err);
    ngff_mutex_unlock(m->mutex);
    if (status == NGFF_OK)
        status = ngff_store_children_call(&children, fn, user, err);
    ngff_store_children_reset(&children);
    return status;
}

static void memory_close(ngff_store *s) {
    memory_store *m = (memory_store *)s;
    for (size_t i = 0; m->slots && i < m->slot_count; i++) {
        for (entry *e = m->slots[i], *next; e; e = next) {
            next = e->next;
            unref(m, e->value);
            ngff_free(s->alloc, e);
        }
    }
    ngff_free(s->alloc, m->slots);
    ngff_mutex_close(&m->mutex);
    ngff_free(s->alloc, s->location);
    ngff_free(s->alloc, m);
}

static const ngff_store_vtable memory_ops = {
    .kind = "memory",
    .get = memory_get,
    .size = memory_size,
    .put = memory_put,
    .erase = memory_erase,
    .list = memory_list,
    .close = memory_close,
};

ngff_status ngff_store_open_memory(const ngff_allocator *a, ngff_store **out,
                                   ngff_error *err) {
    *out = NULL;
    memory_store *m = ngff_calloc(a, 1, sizeof *m);
    if (!m)
        return ngff_fail_nomem(err, "a memory store", sizeof *m);
    m->base.ops = &memory_ops;
    m->base.alloc = a;
    m->base.mode = NGFF_STORE_UPDATE;
    m->base.alone = true;
    m->base.location = ngff_strdup(a, "memory://");
    m->slots = ngff_calloc(a, FIRST_SLOTS, sizeof(entry *));
    m->slot_count = FIRST_SLOTS;
    ngff_status status = ngff_mutex_create(a, &m->mutex, err);
    if (status == NGFF_OK && (!m->base.location || !m->slots))
        status = ngff_fail_nomem(err, "a memory store", FIRST_SLOTS * sizeof(entry *));
    if (status != NGFF_OK) {
        memory_close(&m->base);
        return status;
    }
    *out = &m->base;
    return NGFF_OK;
}
