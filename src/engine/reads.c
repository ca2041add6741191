/* The regions of the source that a run will ask for. */
#include "engine/engine.h"
#include "engine/order.h"
#include "engine/tier.h"

ngff_status ngff_engine_reads(const ngff_plan *plan, ngff_box_fn fn, void *user) {
    const ngff_tier *tier = &plan->tier[0];
    ngff_box hull[NGFF_MAX_LEVELS];
    int64_t idx[NGFF_MAX_NDIM];
    ngff_order order;
    if (plan->window.on)
        return NGFF_OK;
    ngff_order_init(&order, plan, tier, false, false);
    while (ngff_order_next(&order, idx)) {
        ngff_tier_hulls(plan, tier, idx, hull);
        ngff_status status = fn(user, &hull[tier->root]);
        if (status != NGFF_OK)
            return status;
    }
    return NGFF_OK;
}
