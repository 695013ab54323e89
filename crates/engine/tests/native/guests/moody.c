/* A guest of the ABI V2 that uses it in every way, and misuses it. The route says how. Definitions for the compiler change what
 * cannot depend on a route:
 *
 *     TABLE=x       playhouse_guest_v2 returns x           GUEST_SIZE=n, GUEST_VERSION=n, NO_CREATE  of its table
 *     CREATE_RETURNS=n, CREATE_HANGS                       NO_ON_COMPLETE */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "playhouse_v2.h"

#ifdef DESTROY
/* Other bytes, so another image: its counters are those of one test alone, also where tests share a process. */
const char of_its_own[] = "destroy";
#endif

static const ph2_host *host;
/* Of the image, shared by all instances. */
static unsigned created, destroyed;

typedef struct moody {
    uint64_t self;    /* counts what this instance has handled */
    uint64_t kept;    /* a call of which somebody has to hear later */
    int32_t code;     /* what the host said last */
    unsigned heard, given_up, wanted;
    ph_buffer text;   /* what is answered when everything that is wanted was heard */
    ph_buffer payload;
    ph_buffer id;
    pthread_t thread;
    int has_thread;
} moody;

static void put_text(ph_buffer *out, const char *text) { ph_raw(out, ph_text(text)); }

static void put_signed(ph_buffer *out, long long value) {
    char text[32];
    snprintf(text, sizeof text, "%lld", value);
    put_text(out, text);
}

static void pause_for(long ms) {
    struct timespec time = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&time, NULL);
}

static int32_t create(const ph2_birth *birth, void **instance) {
    moody *self = (moody *)calloc(1, sizeof *self);
    if (self == NULL) return ACTR_ALLOCATION_FAILED;
    __atomic_add_fetch(&created, 1, __ATOMIC_SEQ_CST);
#ifdef CREATE_RETURNS
    free(self);
    return CREATE_RETURNS;
#endif
#ifdef CREATE_HANGS
    while (birth->size > 0) pause_for(1000);
#endif
    ph_raw(&self->id, birth->self_id);
    ph2_log(host, birth->call, PH2_INFO, "born");
    /* Only logging is allowed before the first event. */
    self->code = host->start(birth->call, 1, PH2_OP_NOW, NULL, 0);
    *instance = self;
    return ACTR_SUCCESS;
}

static void join(moody *self) {
    if (self->has_thread) pthread_join(self->thread, NULL);
    self->has_thread = 0;
}

static void destroy(void *instance) {
    moody *self = (moody *)instance;
    join(self);
    /* There is no call any more. */
    if (self->kept != 0 && host->complete(self->kept, 0, NULL, 0) != PH2_NO_CALL) _exit(94);
    ph_discard(&self->text);
    ph_discard(&self->payload);
    ph_discard(&self->id);
    free(self);
    __atomic_add_fetch(&destroyed, 1, __ATOMIC_SEQ_CST);
}

static int32_t reply_number(uint64_t call, long long number) {
    char text[32];
    snprintf(text, sizeof text, "%lld", number);
    return ph2_reply(host, call, ph_text(text));
}

/* ---- on threads of the guest ---- */

static void *answer_later(void *instance) {
    moody *self = (moody *)instance;
    pause_for(5);
    self->code = ph2_reply(host, self->kept, ph_written(&self->payload));
    return NULL;
}

static void *answer_twice_later(void *instance) {
    moody *self = (moody *)instance;
    ph2_reply(host, self->kept, ph_text("first"));
    self->code = ph2_reply(host, self->kept, ph_text("second"));
    return NULL;
}

static void *start_elsewhere(void *instance) {
    moody *self = (moody *)instance;
    pause_for(5);
    self->code = host->start(self->kept, 9, self->payload.ptr[0], self->payload.ptr + 1, self->payload.len - 1);
    return NULL;
}

static void *perform_elsewhere(void *instance) {
    moody *self = (moody *)instance;
    ph2_result result;
    self->code = host->perform(self->kept, PH2_OP_NOW, NULL, 0, &result);
    return NULL;
}

static int32_t on_thread(moody *self, void *(*body)(void *), const ph2_event *event) {
    self->kept = event->call;
    self->payload.len = 0;
    ph_raw(&self->payload, event->payload);
    join(self);
    self->has_thread = pthread_create(&self->thread, NULL, body, self) == 0;
    return self->has_thread ? ACTR_SUCCESS : ACTR_ERROR;
}

/* ---- the routes ---- */

typedef int32_t (*route)(moody *self, const ph2_event *event);

static int32_t echo(moody *self, const ph2_event *event) {
    (void)self;
    return ph2_reply(host, event->call, event->payload);
}

static int32_t count(moody *self, const ph2_event *event) { return reply_number(event->call, (long long)self->self); }
static int32_t code(moody *self, const ph2_event *event) {
    join(self);
    return reply_number(event->call, self->code);
}
static int32_t heard(moody *self, const ph2_event *event) {
    return reply_number(event->call, 100 * self->heard + self->given_up);
}
static int32_t where(moody *self, const ph2_event *event) {
    (void)self;
    return reply_number(event->call, (long long)(intptr_t)&created);
}
static int32_t was_destroyed(moody *self, const ph2_event *event) {
    (void)self;
    return reply_number(event->call, __atomic_load_n(&destroyed, __ATOMIC_SEQ_CST));
}
static int32_t birth(moody *self, const ph2_event *event) {
    return ph2_reply(host, event->call, ph_written(&self->id));
}

static int32_t around(moody *self, const ph2_event *event) {
    self->text.len = 0;
    ph_raw(&self->text, event->request_id);
    put_text(&self->text, " ");
    put_signed(&self->text, (long long)event->caller.len);
    put_text(&self->text, event->time_left_ms > 1000 ? " told" : " untold");
    put_text(&self->text, host->time_left_ms(event->call) > 1000 ? " asked" : " unasked");
    put_signed(&self->text, host->time_left_ms(event->call + 1));
    return ph2_reply(host, event->call, ph_written(&self->text));
}

static int32_t later(moody *self, const ph2_event *event) { return on_thread(self, answer_later, event); }
static int32_t later_twice(moody *self, const ph2_event *event) { return on_thread(self, answer_twice_later, event); }
static int32_t start_there(moody *self, const ph2_event *event) {
    self->wanted = 1;
    self->heard = 0;
    self->text.len = 0;
    return on_thread(self, start_elsewhere, event);
}
static int32_t perform_there(moody *self, const ph2_event *event) {
    int32_t status = on_thread(self, perform_elsewhere, event);
    join(self);
    return status != 0 ? status : reply_number(event->call, self->code);
}

static int32_t twice(moody *self, const ph2_event *event) {
    ph2_reply(host, event->call, ph_text("first"));
    self->code = ph2_reply(host, event->call, ph_text("second"));
    return ACTR_SUCCESS;
}

static int32_t never(moody *self, const ph2_event *event) {
    self->kept = event->call;
    return ACTR_SUCCESS;
}
static int32_t answer_kept(moody *self, const ph2_event *event) {
    return reply_number(event->call, ph2_reply(host, self->kept, ph_text("late")));
}
static int32_t foreign(moody *self, const ph2_event *event) {
    static const uint64_t wrong[] = {0, 1, UINT64_MAX, UINT64_MAX - 1};
    size_t i;
    self->code = host->complete(event->call + 1, 0, NULL, 0);
    for (i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        if (host->complete(wrong[i], 0, NULL, 0) != PH2_NO_CALL) return ACTR_ERROR;
        if (host->start(wrong[i], 1, PH2_OP_NOW, NULL, 0) != PH2_NO_CALL) return ACTR_ERROR;
        if (host->log(wrong[i], PH2_INFO, NULL, 0) != PH2_NO_CALL) return ACTR_ERROR;
        if (host->time_left_ms(wrong[i]) != -1) return ACTR_ERROR;
    }
    return reply_number(event->call, self->code);
}

static int32_t giants(moody *self, const ph2_event *event) {
    const uint8_t *here = event->payload.ptr;
    uint8_t byte = 0;
    ph2_result result;
    if (host->complete(event->call, 0, here, SIZE_MAX) != ACTR_PROTOCOL_ERROR) return ACTR_ERROR;
    if (host->start(event->call, 1, PH2_OP_NOW, here, (64u << 20) + 1) != ACTR_PROTOCOL_ERROR) return ACTR_ERROR;
    if (host->perform(event->call, PH2_OP_NOW, here, SIZE_MAX / 2, &result) != ACTR_PROTOCOL_ERROR) return ACTR_ERROR;
    if (host->perform(event->call, PH2_OP_NOW, NULL, 0, NULL) != ACTR_PROTOCOL_ERROR) return ACTR_ERROR;
    if (host->perform(event->call, 9999, NULL, 0, &result) != ACTR_UNSUPPORTED_OP) return ACTR_ERROR;
    if (host->start(event->call, 1, 0, NULL, 0) != ACTR_UNSUPPORTED_OP) return ACTR_ERROR;
    if (host->log(event->call, 77, here, SIZE_MAX) != ACTR_PROTOCOL_ERROR) return ACTR_ERROR;
    host->release(NULL);
    host->release(&byte);
    host->release((uint8_t *)self);
    return host->complete(event->call, 0, NULL, SIZE_MAX);
}

static int32_t perform(moody *self, const ph2_event *event) {
    ph2_result result;
    uint8_t head[4];
    ph2_perform(host, event->call, event->payload.ptr[0], ph_slice(event->payload.ptr + 1, event->payload.len - 1),
                &result);
    memcpy(head, &result.status, sizeof head);
    self->text.len = 0;
    ph_raw(&self->text, ph_slice(head, sizeof head));
    ph_raw(&self->text, ph2_bytes(&result));
    ph2_release(host, &result);
    /* Given back twice, which harms nobody. */
    host->release(result.ptr);
    return ph2_reply(host, event->call, ph_written(&self->text));
}

/* Carries an operation out again and again, and gives no buffer back. */
static int32_t hoard(moody *self, const ph2_event *event) {
    ph2_result result;
    unsigned i;
    (void)self;
    for (i = 0; i < 64; i++)
        if (ph2_random(host, event->call, 1, &result) != 0) return ACTR_ERROR;
    return reply_number(event->call, (long long)result.len);
}

/* Starts what the payload says, several times if it says so, and answers when all of them are done. */
static int32_t start_some(moody *self, const ph2_event *event, unsigned times) {
    unsigned i;
    self->kept = event->call;
    self->wanted = times;
    self->heard = 0;
    self->text.len = 0;
    for (i = 0; i < times; i++) {
        self->code = host->start(event->call, i, event->payload.ptr[0], event->payload.ptr + 1, event->payload.len - 1);
        if (self->code != 0) self->wanted--;
    }
    if (self->wanted == 0) return reply_number(event->call, self->code);
    return ACTR_SUCCESS;
}
static int32_t start(moody *self, const ph2_event *event) { return start_some(self, event, 1); }
static int32_t start_three(moody *self, const ph2_event *event) { return start_some(self, event, 3); }
static int32_t start_many(moody *self, const ph2_event *event) { return start_some(self, event, 2000); }
static int32_t start_and_answer(moody *self, const ph2_event *event) {
    start_some(self, event, 3);
    self->wanted = 1000;
    return ph2_reply(host, event->call, ph_text("done"));
}
static int32_t start_and_perform(moody *self, const ph2_event *event) {
    ph2_result result;
    int32_t status = start_some(self, event, 1);
    if (status != 0) return status;
    ph2_perform(host, event->call, PH2_OP_NOW, ph_slice(NULL, 0), &result);
    put_text(&self->text, "[now ");
    put_signed(&self->text, result.status);
    put_text(&self->text, "]");
    ph2_release(host, &result);
    return ACTR_SUCCESS;
}

static int32_t talk(moody *self, const ph2_event *event) {
    int i;
    (void)self;
    for (i = 0; i < 4; i++) host->log(event->call, PH2_WARN, event->payload.ptr, event->payload.len);
    return ph2_reply(host, event->call, ph_slice(NULL, 0));
}

static int32_t fail(moody *self, const ph2_event *event) {
    (void)self;
    return host->complete(event->call, ACTR_HANDLE_FAILED, event->payload.ptr, event->payload.len);
}
static int32_t odd_status(moody *self, const ph2_event *event) {
    (void)self;
    return host->complete(event->call, 77, NULL, 0);
}
static int32_t returns(moody *self, const ph2_event *event) {
    (void)self;
    return -(int32_t)event->payload.ptr[0];
}
static int32_t answers_and_returns(moody *self, const ph2_event *event) {
    (void)self;
    ph2_reply(host, event->call, ph_text("answered"));
    return ACTR_ERROR;
}
static int32_t hang(moody *self, const ph2_event *event) {
    (void)self;
    while (event->size > 0) pause_for(1000);
    return ACTR_SUCCESS;
}

static const struct {
    const char *name;
    route run;
} routes[] = {
    {"a.A.Echo", echo}, {"a.A.Count", count}, {"a.A.Code", code}, {"a.A.Heard", heard}, {"a.A.Where", where},
    {"a.A.Destroyed", was_destroyed}, {"a.A.Birth", birth}, {"a.A.Around", around}, {"a.A.Later", later},
    {"a.A.LaterTwice", later_twice}, {"a.A.StartThere", start_there}, {"a.A.PerformThere", perform_there},
    {"a.A.Twice", twice}, {"a.A.Never", never}, {"a.A.AnswerKept", answer_kept}, {"a.A.Foreign", foreign},
    {"a.A.Giants", giants}, {"a.A.Perform", perform}, {"a.A.Start", start}, {"a.A.StartThree", start_three},
    {"a.A.StartMany", start_many}, {"a.A.StartAndAnswer", start_and_answer},
    {"a.A.StartAndPerform", start_and_perform}, {"a.A.Talk", talk}, {"a.A.Fail", fail}, {"a.A.OddStatus", odd_status},
    {"a.A.Hoard", hoard}, {"a.A.Returns", returns}, {"a.A.AnswersAndReturns", answers_and_returns}, {"a.A.Hang", hang},
};

static int32_t handle(void *instance, const ph2_event *event) {
    moody *self = (moody *)instance;
    size_t i;
    self->self++;
    if (event->size < sizeof *event) return ACTR_ERROR;
    if (event->kind != PH2_REQUEST) {
        if (event->kind == PH2_READY) return ACTR_UNSUPPORTED_OP;
        if (event->kind == PH2_STOP) return ACTR_ERROR;
        /* Shown by the log: other events have no reply. */
        self->text.len = 0;
        put_signed(&self->text, event->kind);
        put_text(&self->text, "/");
        put_signed(&self->text, event->hook);
        put_text(&self->text, " ");
        ph_raw(&self->text, event->request_id);
        put_text(&self->text, " ");
        put_signed(&self->text, (long long)event->payload.len);
        host->log(event->call, PH2_INFO, self->text.ptr, self->text.len);
        return ph2_reply(host, event->call, ph_slice(NULL, 0));
    }
    for (i = 0; i < sizeof routes / sizeof *routes; i++)
        if (ph_equal(event->route, ph_text(routes[i].name))) return routes[i].run(self, event);
    return ph2_unknown_route(host, event);
}

static void on_complete(void *instance, uint64_t token, int32_t status, const uint8_t *bytes, size_t len) {
    moody *self = (moody *)instance;
    self->heard++;
    if (status == PH2_GIVEN_UP) {
        self->given_up++;
        /* Nothing can be asked any more, and nobody waits. */
        if (host->start(self->kept, 1, PH2_OP_NOW, NULL, 0) != PH2_NO_CALL) _exit(95);
        if (host->complete(self->kept, 0, NULL, 0) != PH2_NO_CALL) _exit(96);
        return;
    }
    if (self->text.len < 200) {
        put_signed(&self->text, (long long)token);
        put_text(&self->text, ":");
        put_signed(&self->text, status);
        put_text(&self->text, "(");
        ph_raw(&self->text, status == ACTR_HANDLE_FAILED ? ph2_error(ph_slice(bytes, len)).message : ph_slice(bytes, len));
        put_text(&self->text, ") ");
    }
    if (self->heard == self->wanted) ph2_reply(host, self->kept, ph_written(&self->text));
}

#ifndef GUEST_SIZE
#define GUEST_SIZE sizeof(ph2_guest)
#endif
#ifndef GUEST_VERSION
#define GUEST_VERSION PH2_VERSION
#endif
#ifdef NO_CREATE
#define CREATE NULL
#else
#define CREATE create
#endif
#ifdef NO_ON_COMPLETE
#define ON_COMPLETE NULL
#else
#define ON_COMPLETE on_complete
#endif
#ifndef TABLE
#define TABLE &guest.table
#endif

/* With a tail that hosts of this version do not know. */
static const struct {
    ph2_guest table;
    uint64_t tail[4];
} guest = {{GUEST_SIZE, GUEST_VERSION, 0, CREATE, destroy, handle, ON_COMPLETE}, {~0ull, ~0ull, ~0ull, ~0ull}};

const ph2_guest *playhouse_guest_v2(const ph2_host *table) {
    (void)guest;
    (void)create;
    (void)on_complete;
    host = table;
    if (!ph2_has(table, time_left_ms)) return NULL;
    return TABLE;
}
