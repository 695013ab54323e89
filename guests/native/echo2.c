/* Answers echo.EchoService.Echo, by the ABI V2. The text of an EchoRequest and that of an EchoResponse are both field 1, so the
 * request's bytes are the reply. */
#include "playhouse_v2.h"

static const ph2_host *host;

/* There is nothing to keep: all instances are one. */
static int32_t create(const ph2_birth *birth, void **instance) {
    (void)birth;
    *instance = NULL;
    return ACTR_SUCCESS;
}

static void destroy(void *instance) { (void)instance; }

static int32_t handle(void *instance, const ph2_event *event) {
    (void)instance;
    if (event->kind != PH2_REQUEST) return ACTR_UNSUPPORTED_OP;
    if (!ph_equal(event->route, ph_text("echo.EchoService.Echo"))) return ph2_unknown_route(host, event);
    return ph2_reply(host, event->call, event->payload);
}

static const ph2_guest guest = {sizeof guest, PH2_VERSION, 0, create, destroy, handle, NULL};

const ph2_guest *playhouse_guest_v2(const ph2_host *table) {
    host = table;
    return table->version >= PH2_VERSION ? &guest : NULL;
}
