/* Answers counter.CounterService.Add with the sum of all amounts so far: the state of one image. */
#include "playhouse.h"

static int initialised;
static uint64_t total;

int32_t actr_init(const HostVTable *vtable, const uint8_t *init, size_t init_len) {
    ph_field field;
    if (vtable == NULL) return ACTR_INIT_FAILED;
    if (ph_find(ph_slice(init, init_len), 1, &field) < 0) return ACTR_PROTOCOL_ERROR;
    if (initialised) return ACTR_INIT_FAILED;
    initialised = 1;
    return ACTR_SUCCESS;
}

int32_t actr_handle(const uint8_t *req, size_t req_len, uint8_t **resp, size_t *resp_len) {
    ph_event event;
    ph_buffer reply = PH_BUFFER_EMPTY;
    int32_t code = ph_read_event(req, req_len, &event);
    if (code != ACTR_SUCCESS) return code;
    if (!initialised) return ACTR_INIT_FAILED;
    if (event.op != ACTR_OP_GUEST_HANDLE) return ph_ok(resp, resp_len);
    if (!ph_equal(event.route, ph_text("counter.CounterService.Add"))) return ph_unknown_route(&event, resp, resp_len);
    total += ph_get_number(event.payload, 1);
    ph_put_number(&reply, 1, total);
    code = ph_reply(ACTR_SUCCESS, ph_written(&reply), resp, resp_len);
    ph_discard(&reply);
    return code;
}

void actr_free_response(uint8_t *ptr, size_t len) {
    if (len > 0) PH_FREE(ptr);
}
