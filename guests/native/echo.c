/* Answers echo.EchoService.Echo. The text of an EchoRequest and that of an EchoResponse are both field 1, so the request's
 * bytes are the reply. */
#include "playhouse.h"

int32_t actr_init(const HostVTable *vtable, const uint8_t *init, size_t init_len) {
    (void)init;
    (void)init_len;
    return vtable == NULL ? ACTR_INIT_FAILED : ACTR_SUCCESS;
}

int32_t actr_handle(const uint8_t *req, size_t req_len, uint8_t **resp, size_t *resp_len) {
    ph_event event;
    int32_t code = ph_read_event(req, req_len, &event);
    if (code != ACTR_SUCCESS) return code;
    if (event.op != ACTR_OP_GUEST_HANDLE) return ph_ok(resp, resp_len);
    if (!ph_equal(event.route, ph_text("echo.EchoService.Echo"))) return ph_unknown_route(&event, resp, resp_len);
    return ph_reply(ACTR_SUCCESS, event.payload, resp, resp_len);
}

void actr_free_response(uint8_t *ptr, size_t len) {
    if (len > 0) PH_FREE(ptr);
}
