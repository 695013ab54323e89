/* Receives the chunks of the streams that it was told to open, and counts them. */
#include "playhouse.h"

static const HostVTable *host;
static uint64_t chunks, bytes, out_of_order, expected;

int32_t actr_init(const HostVTable *vtable, const uint8_t *init, size_t init_len) {
    (void)init;
    (void)init_len;
    host = vtable;
    return host == NULL ? ACTR_INIT_FAILED : ACTR_SUCCESS;
}

static int32_t stream(uint32_t op, const ph_event *event, uint8_t **resp, size_t *resp_len) {
    ph_result result;
    int32_t code;
    if (ph_stream(host, op, ph_get(event->payload, 1), &result) == 0)
        code = ph_ok(resp, resp_len);
    else
        code = ph_reply(ACTR_HANDLE_FAILED, result.payload, resp, resp_len);
    ph_release(host, &result);
    return code;
}

static int32_t totals(uint8_t **resp, size_t *resp_len) {
    ph_buffer reply = PH_BUFFER_EMPTY;
    int32_t code;
    ph_put_number(&reply, 1, chunks);
    ph_put_number(&reply, 2, bytes);
    ph_put_number(&reply, 3, out_of_order);
    code = ph_reply(ACTR_SUCCESS, ph_written(&reply), resp, resp_len);
    ph_discard(&reply);
    return code;
}

int32_t actr_handle(const uint8_t *req, size_t req_len, uint8_t **resp, size_t *resp_len) {
    ph_event event;
    int32_t code = ph_read_event(req, req_len, &event);
    if (code != ACTR_SUCCESS) return code;
    if (event.op == ACTR_OP_GUEST_DATA_STREAM) {
        chunks++;
        bytes += event.payload.len;
        if (event.sequence != expected) out_of_order++;
        expected = event.sequence + 1;
        return ph_ok(resp, resp_len);
    }
    if (event.op != ACTR_OP_GUEST_HANDLE) return ph_ok(resp, resp_len);
    if (ph_equal(event.route, ph_text("sink.SinkService.Open")))
        return stream(ACTR_OP_REGISTER_STREAM, &event, resp, resp_len);
    if (ph_equal(event.route, ph_text("sink.SinkService.Close")))
        return stream(ACTR_OP_UNREGISTER_STREAM, &event, resp, resp_len);
    if (ph_equal(event.route, ph_text("sink.SinkService.Total"))) return totals(resp, resp_len);
    return ph_unknown_route(&event, resp, resp_len);
}

void actr_free_response(uint8_t *ptr, size_t len) {
    if (len > 0) PH_FREE(ptr);
}
