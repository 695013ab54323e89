/* Keeps a sum in its state, so that it survives the actor, and lets a timer add to it. By the ABI V2: state and timers are operations,
 * which this guest waits for one after the other. What it wrote is kept if the event ends well, and dropped if it fails. */
#include "playhouse_v2.h"

static const ph2_host *host;

#define KEY ph_text("sum")

/* Everything that belongs to one actor. */
typedef struct durable {
    uint64_t handled; /* since this instance was made; shown in its log */
} durable;

static int32_t create(const ph2_birth *birth, void **instance) {
    durable *self = (durable *)PH_ALLOC(sizeof *self);
    if (self == NULL) return ACTR_ALLOCATION_FAILED;
    self->handled = 0;
    *instance = self;
    ph2_log(host, birth->call, PH2_DEBUG, "born");
    return ACTR_SUCCESS;
}

static void destroy(void *instance) { PH_FREE(instance); }

/* Answers with what went wrong, and gives the result back. */
static int32_t fail(uint64_t call, ph2_result *result) {
    int32_t code = ph2_fail_with(host, call, result);
    ph2_release(host, result);
    return code;
}

/* Adds to the sum and answers with it. */
static int32_t add(uint64_t call, uint64_t amount) {
    ph_buffer sum = PH_BUFFER_EMPTY;
    ph2_entry entry;
    ph2_result result;
    int32_t code;
    if (ph2_state_get(host, call, KEY, &entry, &result) != 0) return fail(call, &result);
    amount += ph_get_number(entry.value, 1);
    ph2_release(host, &result);

    ph_put_number(&sum, 1, amount);
    if (sum.failed) return ACTR_ALLOCATION_FAILED;
    if (ph2_state_set(host, call, KEY, ph_written(&sum), &result) != 0) {
        code = fail(call, &result);
    } else {
        ph2_release(host, &result);
        code = ph2_reply(host, call, ph_written(&sum));
    }
    ph_discard(&sum);
    return code;
}

static int32_t grow(uint64_t call, uint64_t period_ms) {
    ph2_result result;
    int32_t status;
    if (period_ms == 0)
        status = ph2_perform(host, call, PH2_OP_TIMER_CANCEL, ph_text("tick"), &result);
    else
        status = ph2_timer_set(host, call, ph_text("tick"), PH2_EVERY, period_ms,
                               ph_text("durable.DurableService.Tick"), ph_slice(NULL, 0), &result);
    if (status != 0) return fail(call, &result);
    ph2_release(host, &result);
    return add(call, 0);
}

static int32_t handle(void *instance, const ph2_event *event) {
    durable *self = (durable *)instance;
    if (event->kind != PH2_REQUEST) return ACTR_UNSUPPORTED_OP;
    self->handled++;
    if (ph_equal(event->route, ph_text("durable.DurableService.Add")))
        return add(event->call, ph_get_number(event->payload, 1));
    if (ph_equal(event->route, ph_text("durable.DurableService.Grow")))
        return grow(event->call, ph_get_number(event->payload, 1));
    if (ph_equal(event->route, ph_text("durable.DurableService.Tick"))) return add(event->call, 1);
    return ph2_unknown_route(host, event);
}

static const ph2_guest guest = {sizeof guest, PH2_VERSION, 0, create, destroy, handle, NULL};

const ph2_guest *playhouse_guest_v2(const ph2_host *table) {
    host = table;
    return table->version >= PH2_VERSION ? &guest : NULL;
}
