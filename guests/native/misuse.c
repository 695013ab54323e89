/* Breaks the ABI in every way that a host has to survive. The route says how; see `routes` at the end. Definitions for the
 * compiler change what cannot depend on a route:
 *
 *     INIT_RETURNS=n  actr_init returns n        NO_INIT, NO_HANDLE, NO_FREE  the symbol is missing
 *     HOOKS_RETURN=n  actr_handle returns n for lifecycle steps and hooks
 *     HOOKS_REPLY=n   the reply to them has status n */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "playhouse.h"

static const HostVTable *host;
static uint64_t freed;

#ifndef NO_INIT
int32_t actr_init(const HostVTable *vtable, const uint8_t *init, size_t init_len) {
    (void)init;
    (void)init_len;
    host = vtable;
#ifdef INIT_RETURNS
    return INIT_RETURNS;
#else
    return ACTR_SUCCESS;
#endif
}
#endif

#ifndef NO_FREE
void actr_free_response(uint8_t *ptr, size_t len) {
    freed++;
    if (len > 0) free(ptr);
}
#endif

/* REGISTER_STREAM "s", complete. */
static const uint8_t REGISTER[] = {0x08, 0x01, 0x10, 0x05, 0x1a, 0x03, 0x0a, 0x01, 's'};

static int32_t number(int64_t value, uint8_t **resp, size_t *resp_len) {
    char text[24];
    size_t at = sizeof text;
    uint64_t rest = value < 0 ? (uint64_t)-value : (uint64_t)value;
    do {
        text[--at] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (value < 0) text[--at] = '-';
    return ph_reply(ACTR_SUCCESS, ph_slice(text + at, sizeof text - at), resp, resp_len);
}

/* A reply of the given bytes, in memory of its own. */
static int32_t raw(const void *bytes, size_t len, uint8_t **resp, size_t *resp_len) {
    *resp = malloc(len);
    memcpy(*resp, bytes, len);
    *resp_len = len;
    return ACTR_SUCCESS;
}

static int32_t null_reply(const ph_event *event, uint8_t **resp, size_t *resp_len) {
    (void)event;
    *resp = NULL;
    *resp_len = 12;
    return ACTR_SUCCESS;
}

static int32_t nothing(const ph_event *event, uint8_t **resp, size_t *resp_len) {
    (void)event;
    (void)resp;
    (void)resp_len;
    return ACTR_SUCCESS;
}

/* The pointer is not given back, as the length says that there is nothing; a static needs no release. */
static int32_t zero_length(const ph_event *event, uint8_t **resp, size_t *resp_len) {
    static uint8_t bytes[2] = {0x08, 0x01};
    (void)event;
    *resp = bytes;
    *resp_len = 0;
    return ACTR_SUCCESS;
}

static int32_t short_length(const ph_event *event, uint8_t **resp, size_t *resp_len) {
    (void)event;
    ph_reply(ACTR_SUCCESS, ph_text("whole"), resp, resp_len);
    *resp_len -= 2;
    return ACTR_SUCCESS;
}

static int32_t over_limit(const ph_event *event, uint8_t **resp, size_t *resp_len) {
    (void)event;
    *resp = malloc(16);
    *resp_len = (size_t)-1;
    return ACTR_SUCCESS;
}

static int32_t garbage(const ph_event *event, uint8_t **resp, size_t *resp_len) {
    (void)event;
    return raw("\xff\xff\xff\xff\xff\xff", 6, resp, resp_len);
}

static int32_t version_9(const ph_event *event, uint8_t **resp, size_t *resp_len) {
    (void)event;
    return raw("\x08\x09", 2, resp, resp_len);
}

static int32_t version_0(const ph_event *event, uint8_t **resp, size_t *resp_len) {
    (void)event;
    return raw("\x1a\x02ok", 4, resp, resp_len);
}

static int32_t positive_status(const ph_event *event, uint8_t **resp, size_t *resp_len) {
    (void)event;
    return ph_reply(7, ph_text("not found: a text"), resp, resp_len);
}

static int32_t unknown_status(const ph_event *event, uint8_t **resp, size_t *resp_len) {
    (void)event;
    return ph_reply(-77, ph_slice(NULL, 0), resp, resp_len);
}

static int32_t not_utf8(const ph_event *event, uint8_t **resp, size_t *resp_len) {
    (void)event;
    return ph_fail("permission denied: \xff\xfe", resp, resp_len);
}

/* Returns the number in the payload, with a reply beside it. */
static int32_t code(const ph_event *event, uint8_t **resp, size_t *resp_len) {
    int32_t code = -(int32_t)(event->payload.len > 0 ? event->payload.ptr[0] : 0);
    ph_reply(ACTR_SUCCESS, ph_text("beside an error"), resp, resp_len);
    return code;
}

static int32_t positive_code(const ph_event *event, uint8_t **resp, size_t *resp_len) {
    (void)event;
    (void)resp;
    (void)resp_len;
    return 5;
}

static int32_t frees(const ph_event *event, uint8_t **resp, size_t *resp_len) {
    (void)event;
    return number((int64_t)freed, resp, resp_len);
}

/* As many bytes as the payload says, in megabytes. */
static int32_t huge(const ph_event *event, uint8_t **resp, size_t *resp_len) {
    size_t len = (size_t)event->payload.ptr[0] << 20;
    uint8_t *bytes = calloc(len, 1);
    int32_t code = ph_reply(ACTR_SUCCESS, ph_slice(bytes, len), resp, resp_len);
    free(bytes);
    return code;
}

static int32_t slow(const ph_event *event, uint8_t **resp, size_t *resp_len) {
    struct timespec pause;
    (void)event;
    pause.tv_sec = 0;
    pause.tv_nsec = 300 * 1000 * 1000;
    nanosleep(&pause, NULL);
    return ph_reply(ACTR_SUCCESS, ph_text("at last"), resp, resp_len);
}

static int32_t never(const ph_event *event, uint8_t **resp, size_t *resp_len) {
    (void)event;
    (void)resp;
    (void)resp_len;
    for (;;) pause();
    return ACTR_ERROR;
}

/* What invoke returns if it is called wrongly. */
static int32_t null_out(const ph_event *event, uint8_t **resp, size_t *resp_len) {
    size_t len = 0;
    (void)event;
    return number(host->invoke(REGISTER, sizeof REGISTER, NULL, &len), resp, resp_len);
}

static int32_t null_out_len(const ph_event *event, uint8_t **resp, size_t *resp_len) {
    uint8_t *out = NULL;
    (void)event;
    return number(host->invoke(REGISTER, sizeof REGISTER, &out, NULL), resp, resp_len);
}

/* Calls invoke with the frame in the payload, and replies with the code; or with -99 if the outputs were touched. */
static int32_t frame(const ph_event *event, uint8_t **resp, size_t *resp_len) {
    uint8_t mark, *out = &mark;
    size_t len = 1234;
    int32_t code = host->invoke(event->payload.ptr, event->payload.len, &out, &len);
    if (code == 0)
        host->free_host_buf(out, len);
    else if (out != &mark || len != 1234)
        code = -99;
    return number(code, resp, resp_len);
}

static int32_t null_frame(const ph_event *event, uint8_t **resp, size_t *resp_len) {
    uint8_t *out = NULL;
    size_t len = 0;
    (void)event;
    return number(host->invoke(NULL, 100, &out, &len), resp, resp_len);
}

static int32_t endless_frame(const ph_event *event, uint8_t **resp, size_t *resp_len) {
    uint8_t *out = NULL;
    size_t len = 0;
    (void)event;
    return number(host->invoke(REGISTER, (size_t)65 << 20, &out, &len), resp, resp_len);
}

/* The reply of the host, as a whole. */
static int32_t ask(const ph_event *event, uint8_t **resp, size_t *resp_len) {
    ph_result result;
    ph_buffer out = PH_BUFFER_EMPTY;
    int32_t code;
    ph_call(host, ph_shell(), ph_text("a.B.C"), event->payload, &result);
    ph_put_varint(&out, (uint64_t)(int64_t)result.status);
    ph_raw(&out, result.payload);
    code = ph_reply(ACTR_SUCCESS, ph_written(&out), resp, resp_len);
    ph_discard(&out);
    ph_release(host, &result);
    return code;
}

/* Passes the host's failure on. */
static int32_t pass(const ph_event *event, uint8_t **resp, size_t *resp_len) {
    ph_result result;
    int32_t code;
    code = ph_call(host, ph_shell(), ph_text("a.B.C"), event->payload, &result);
    code = ph_reply(code == 0 ? 0 : ACTR_HANDLE_FAILED, result.payload, resp, resp_len);
    ph_release(host, &result);
    return code;
}

/* Two operations, whose buffers go back in the wrong order, twice, with wrong lengths, along with pointers of its own. */
static int32_t double_invoke(const ph_event *event, uint8_t **resp, size_t *resp_len) {
    uint8_t *first = NULL, *second = NULL, own[4] = {0, 0, 0, 0};
    size_t first_len = 0, second_len = 0;
    int32_t code;
    (void)event;
    code = host->invoke(REGISTER, sizeof REGISTER, &first, &first_len);
    code += host->invoke(REGISTER, sizeof REGISTER, &second, &second_len);
    code += first == second ? -50 : 0;
    host->free_host_buf(second, second_len + 100);
    host->free_host_buf(first, first_len);
    host->free_host_buf(first, first_len);
    host->free_host_buf(second, second_len);
    host->free_host_buf(own, sizeof own);
    host->free_host_buf(NULL, 7);
    host->free_host_buf(first, 0);
    return number(code, resp, resp_len);
}

/* Never gives a buffer back: how many operations the host carries out, and the code of the first that it does not. */
static int32_t hoard(const ph_event *event, uint8_t **resp, size_t *resp_len) {
    uint8_t *out;
    size_t len;
    int32_t code = 0;
    int64_t count = 0;
    (void)event;
    while (count < 5000 && (code = host->invoke(REGISTER, sizeof REGISTER, &out, &len)) == 0) count++;
    return number(count * 10 - code, resp, resp_len);
}

/* Asks as often as the payload says, and gives the number of failed operations. */
static int32_t many(const ph_event *event, uint8_t **resp, size_t *resp_len) {
    int64_t failed = 0;
    size_t i, count = event->payload.ptr[0];
    for (i = 0; i < count; i++) {
        ph_result result;
        if (ph_invoke(host, ACTR_OP_REGISTER_STREAM, ph_slice("\x0a\x01s", 3), &result) != 0) failed++;
        ph_release(host, &result);
    }
    return number(failed, resp, resp_len);
}

static void *invoke_elsewhere(void *result) {
    uint8_t *out = NULL;
    size_t len = 0;
    *(int32_t *)result = host->invoke(REGISTER, sizeof REGISTER, &out, &len);
    return NULL;
}

static int32_t other_thread(const ph_event *event, uint8_t **resp, size_t *resp_len) {
    pthread_t thread;
    int32_t result = 99;
    (void)event;
    pthread_create(&thread, NULL, invoke_elsewhere, &result);
    pthread_join(thread, NULL);
    return number(result, resp, resp_len);
}

static const struct {
    const char *name;
    int32_t (*behave)(const ph_event *event, uint8_t **resp, size_t *resp_len);
} routes[] = {
    {"null-reply", null_reply},     {"nothing", nothing},
    {"zero-length", zero_length},   {"short-length", short_length},
    {"over-limit", over_limit},     {"garbage", garbage},
    {"version-9", version_9},       {"version-0", version_0},
    {"positive-status", positive_status}, {"unknown-status", unknown_status},
    {"not-utf8", not_utf8},         {"code", code},
    {"positive-code", positive_code}, {"frees", frees},
    {"huge", huge},                 {"slow", slow},
    {"never", never},               {"null-out", null_out},
    {"null-out-len", null_out_len}, {"frame", frame},
    {"null-frame", null_frame},     {"endless-frame", endless_frame},
    {"ask", ask},                   {"pass", pass},
    {"double-invoke", double_invoke}, {"hoard", hoard},
    {"many", many},                 {"other-thread", other_thread},
};

#ifndef NO_HANDLE
int32_t actr_handle(const uint8_t *req, size_t req_len, uint8_t **resp, size_t *resp_len) {
    ph_event event;
    size_t i;
    int32_t code = ph_read_event(req, req_len, &event);
    if (code != ACTR_SUCCESS) return code;
    if (event.op == ACTR_OP_GUEST_LIFECYCLE || event.op == ACTR_OP_GUEST_HOOK) {
#if defined(HOOKS_RETURN)
        return HOOKS_RETURN;
#elif defined(HOOKS_REPLY)
        return ph_reply(HOOKS_REPLY, ph_slice(NULL, 0), resp, resp_len);
#endif
    }
    if (event.op != ACTR_OP_GUEST_HANDLE) return ph_ok(resp, resp_len);
    for (i = 0; i < sizeof routes / sizeof *routes; i++)
        if (ph_equal(event.route, ph_text(routes[i].name))) return routes[i].behave(&event, resp, resp_len);
    return ph_unknown_route(&event, resp, resp_len);
}
#else
const void *misuse_unused(void);
const void *misuse_unused(void) { return routes; }
#endif
