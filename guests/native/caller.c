/* Answers caller.CallerService.Relay: finds an actor of the type asked for, calls it, and answers with its reply. An error of
 * the host or of the callee is passed on as it is. */
#include "playhouse.h"

static const HostVTable *host;

int32_t actr_init(const HostVTable *vtable, const uint8_t *init, size_t init_len) {
    (void)init;
    (void)init_len;
    host = vtable;
    return host == NULL ? ACTR_INIT_FAILED : ACTR_SUCCESS;
}

static int32_t relay(const ph_event *event, uint8_t **resp, size_t *resp_len) {
    ph_buffer reply = PH_BUFFER_EMPTY;
    ph_result found, answer;
    int32_t code;
    if (ph_discover(host, ph_get(event->payload, 1), ph_get(event->payload, 2), ph_get(event->payload, 3), &found) != 0) {
        code = ph_reply(ACTR_HANDLE_FAILED, found.payload, resp, resp_len);
        ph_release(host, &found);
        return code;
    }
    if (ph_call(host, ph_actor(found.payload), ph_get(event->payload, 4), ph_get(event->payload, 5), &answer) != 0) {
        code = ph_reply(ACTR_HANDLE_FAILED, answer.payload, resp, resp_len);
    } else {
        ph_put_bytes(&reply, 1, answer.payload);
        code = ph_reply(ACTR_SUCCESS, ph_written(&reply), resp, resp_len);
        ph_discard(&reply);
    }
    ph_release(host, &found);
    ph_release(host, &answer);
    return code;
}

int32_t actr_handle(const uint8_t *req, size_t req_len, uint8_t **resp, size_t *resp_len) {
    ph_event event;
    int32_t code = ph_read_event(req, req_len, &event);
    if (code != ACTR_SUCCESS) return code;
    if (event.op != ACTR_OP_GUEST_HANDLE) return ph_ok(resp, resp_len);
    if (!ph_equal(event.route, ph_text("caller.CallerService.Relay"))) return ph_unknown_route(&event, resp, resp_len);
    return relay(&event, resp, resp_len);
}

void actr_free_response(uint8_t *ptr, size_t len) {
    if (len > 0) PH_FREE(ptr);
}
