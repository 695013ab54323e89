/* Misbehaves in ways that concern the whole process or other threads. The route says how. */
#define _DEFAULT_SOURCE
#include <pthread.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "playhouse.h"

static const HostVTable *host;
static int32_t last_code;
static int invoke_in_free;

/* REGISTER_STREAM "s", complete. */
static const uint8_t REGISTER[] = {0x08, 0x01, 0x10, 0x05, 0x1a, 0x03, 0x0a, 0x01, 's'};

static int32_t invoke_once(void) {
    uint8_t *out = NULL;
    size_t len = 0;
    int32_t code = host->invoke(REGISTER, sizeof REGISTER, &out, &len);
    if (code == 0) host->free_host_buf(out, len);
    return code;
}

int32_t actr_init(const HostVTable *vtable, const uint8_t *init, size_t init_len) {
    (void)init;
    (void)init_len;
    host = vtable;
    return ACTR_SUCCESS;
}

void actr_free_response(uint8_t *ptr, size_t len) {
    if (invoke_in_free) last_code = invoke_once();
    invoke_in_free = 0;
    if (len > 0) PH_FREE(ptr);
}

static void *invoke_now(void *unused) {
    (void)unused;
    last_code = invoke_once();
    return NULL;
}

/* Goes on for longer than the actor lives. */
static void *haunt(void *unused) {
    (void)unused;
    for (int i = 0; i < 2000; i++) {
        if (invoke_once() != ACTR_ERROR) _exit(91);
        host->free_host_buf((uint8_t *)&last_code, 4);
        usleep(100);
    }
    return NULL;
}

static pthread_key_t key;

static void invoke_at_the_end(void *unused) {
    (void)unused;
    if (invoke_once() != ACTR_ERROR) _exit(92);
}

static int fork_and_wait(void) {
    int status = 0;
    pid_t child = fork();
    if (child == 0) _exit(invoke_once() == ACTR_SUCCESS ? 93 : 0);
    return waitpid(child, &status, 0) == child && WIFEXITED(status);
}

static volatile size_t outside = 64;
static volatile int *volatile wild = (volatile int *)8;

/* Does what the route says, if it says something. */
static void behave(ph_bytes route) {
    pthread_t thread;
    if (ph_equal(route, ph_text("free-invokes"))) invoke_in_free = 1;
    if (ph_equal(route, ph_text("thread"))) {
        pthread_create(&thread, NULL, invoke_now, NULL);
        pthread_join(thread, NULL);
    }
    if (ph_equal(route, ph_text("haunt"))) {
        pthread_create(&thread, NULL, haunt, NULL);
        pthread_detach(thread);
    }
    if (ph_equal(route, ph_text("last-words"))) {
        pthread_key_create(&key, invoke_at_the_end);
        pthread_setspecific(key, &key);
    }
    if (ph_equal(route, ph_text("fork"))) last_code = fork_and_wait() ? -1 : -99;
    if (ph_equal(route, ph_text("abort"))) abort();
    if (ph_equal(route, ph_text("exit"))) _exit(7);
    if (ph_equal(route, ph_text("segv"))) *wild = 1;
    if (ph_equal(route, ph_text("double-free"))) {
        char *volatile bytes = malloc(64);
        free(bytes);
        free(bytes);
    }
    if (ph_equal(route, ph_text("overflow"))) {
        volatile char *bytes = malloc(64);
        bytes[outside] = 1;
    }
}

int32_t actr_handle(const uint8_t *req, size_t req_len, uint8_t **resp, size_t *resp_len) {
    ph_event event;
    char digit;
    int32_t code = ph_read_event(req, req_len, &event);
    if (code != ACTR_SUCCESS) return code;
    if (event.op != ACTR_OP_GUEST_HANDLE) return ph_ok(resp, resp_len);
    behave(event.route);
    /* What the last invoke returned. */
    digit = (char)('0' - last_code);
    return ph_reply(ACTR_SUCCESS, ph_slice(&digit, 1), resp, resp_len);
}
