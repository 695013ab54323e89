/* A guest with contexts (actr 0.4 and 0.5): its threads call the host, also after actr_handle has returned.
 *
 *     now      calls the shell from the handler's own thread; the reply is the host's
 *     beside   calls the shell from another thread and waits for it
 *     later    answers at once; a thread calls the shell afterwards, and then releases the context
 *     many     calls the shell from eight threads at a time; the reply is the number of calls that succeeded
 *     stale    uses a token that it does not retain: the reply is what retain_context and invoke return
 *     where    an address in this image, in the machine's byte order
 *     keep     retains the context and never releases it
 *
 * SHUTDOWN_RETURNS=n: actr_shutdown returns n. */
#define PLAYHOUSE_CONTEXTS
#include <pthread.h>
#include <string.h>

#include "playhouse.h"

static const ContextVTable *table;

int32_t actr_init(const ContextVTable *vtable, const uint8_t *init, size_t init_len) {
    (void)init;
    (void)init_len;
    table = vtable;
    return table == NULL ? ACTR_INIT_FAILED : ACTR_SUCCESS;
}

/* The thread that runs on after actr_handle, if there is one. */
static pthread_t later_thread;
static int has_later_thread;

/* Waits for the thread: after a 0 its code may be unmapped. */
int32_t actr_shutdown(void) {
    if (has_later_thread) pthread_join(later_thread, NULL);
#ifdef SHUTDOWN_RETURNS
    return SHUTDOWN_RETURNS;
#else
    return 0;
#endif
}

typedef struct job {
    ph_host host;
    ph_result result;
    ph_bytes payload;
} job;

static void *call_shell(void *argument) {
    job *work = argument;
    ph_call(&work->host, ph_shell(), ph_text("a.B.C"), work->payload, &work->result);
    return NULL;
}

/* Ends the job by itself. */
static void *call_shell_and_end(void *argument) {
    job *work = argument;
    call_shell(work);
    ph_release(&work->host, &work->result);
    table->release_context(work->host.token);
    free((void *)work->payload.ptr);
    free(work);
    return NULL;
}

static int32_t answer(job *work, uint8_t **resp, size_t *resp_len) {
    int32_t code = ph_reply(work->result.status == 0 ? 0 : ACTR_HANDLE_FAILED, work->result.payload, resp, resp_len);
    ph_release(&work->host, &work->result);
    return code;
}

static int32_t later(const job *work, uint8_t **resp, size_t *resp_len) {
    job *copy = malloc(sizeof *copy);
    uint8_t *payload = malloc(work->payload.len + 1);
    memcpy(payload, work->payload.ptr, work->payload.len);
    *copy = *work;
    copy->payload.ptr = payload;
    if (table->retain_context(copy->host.token) != 0) return ACTR_HANDLE_FAILED;
    if (has_later_thread) pthread_join(later_thread, NULL);
    has_later_thread = pthread_create(&later_thread, NULL, call_shell_and_end, copy) == 0;
    return ph_ok(resp, resp_len);
}

static int32_t many(const job *work, uint8_t **resp, size_t *resp_len) {
    enum { THREADS = 8 };
    pthread_t threads[THREADS];
    job jobs[THREADS];
    uint8_t succeeded = 0;
    int i;
    for (i = 0; i < THREADS; i++) {
        jobs[i] = *work;
        pthread_create(&threads[i], NULL, call_shell, &jobs[i]);
    }
    for (i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        if (jobs[i].result.status == 0) succeeded++;
        ph_release(&jobs[i].host, &jobs[i].result);
    }
    return ph_reply(ACTR_SUCCESS, ph_slice(&succeeded, 1), resp, resp_len);
}

static int32_t stale(const job *work, uint8_t **resp, size_t *resp_len) {
    static const uint8_t REGISTER[] = {0x08, 0x01, 0x10, 0x05, 0x1a, 0x03, 0x0a, 0x01, 's'};
    uint64_t token = work->host.token + 1000000;
    uint8_t *out = NULL, codes[2];
    size_t len = 0;
    table->release_context(token);
    codes[0] = (uint8_t)('0' - table->retain_context(token));
    codes[1] = (uint8_t)('0' - table->invoke(token, REGISTER, sizeof REGISTER, &out, &len));
    return ph_reply(ACTR_SUCCESS, ph_slice(codes, 2), resp, resp_len);
}

int32_t actr_handle(const uint8_t *req, size_t req_len, uint8_t **resp, size_t *resp_len) {
    ph_event event;
    job work;
    pthread_t thread;
    int32_t code = ph_read_event(req, req_len, &event);
    if (code != ACTR_SUCCESS) return code;
    if (event.op != ACTR_OP_GUEST_HANDLE) return ph_ok(resp, resp_len);
    memset(&work, 0, sizeof work);
    work.host.table = table;
    work.host.token = event.token;
    work.payload = event.payload;
    if (ph_equal(event.route, ph_text("now"))) {
        call_shell(&work);
        return answer(&work, resp, resp_len);
    }
    if (ph_equal(event.route, ph_text("beside"))) {
        pthread_create(&thread, NULL, call_shell, &work);
        pthread_join(thread, NULL);
        return answer(&work, resp, resp_len);
    }
    if (ph_equal(event.route, ph_text("later"))) return later(&work, resp, resp_len);
    if (ph_equal(event.route, ph_text("many"))) return many(&work, resp, resp_len);
    if (ph_equal(event.route, ph_text("stale"))) return stale(&work, resp, resp_len);
    if (ph_equal(event.route, ph_text("where"))) {
        uintptr_t address = (uintptr_t)&table;
        return ph_reply(ACTR_SUCCESS, ph_slice(&address, sizeof address), resp, resp_len);
    }
    if (ph_equal(event.route, ph_text("keep"))) {
        return table->retain_context(event.token) == 0 ? ph_ok(resp, resp_len) : ACTR_HANDLE_FAILED;
    }
    return ph_unknown_route(&event, resp, resp_len);
}

void actr_free_response(uint8_t *ptr, size_t len) {
    if (len > 0) PH_FREE(ptr);
}
