/* playhouse_v2.h: the native ABI V2 in C11 and C++, and helpers to write a guest without a protobuf library.
 *
 * A guest is a shared library that exports playhouse_guest_v2, which returns a table of functions:
 *
 *     cc -std=c11 -shared -fPIC -O2 -I include guest.c -o guest.so
 *
 * One library has many instances, one for each actor. The library is mapped once, so what belongs to an actor belongs into its
 * instance; globals are shared by all, and by all of their threads. Each instance has a thread of its own: create, handle,
 * on_complete and destroy of one instance run there, one at a time; those of two instances run at the same time.
 *
 * handle takes an event. The guest answers it with complete (or ph2_reply, ph2_fail): at once, or later, on any thread. An event
 * is answered once; whoever comes second, or after the event is over, gets PH2_NO_CALL. The event is over when it has been answered
 * and handle has returned, or when its caller's time is up. Events are handled one after the other.
 *
 * Operations: perform waits for the result, on the instance's own thread, and nothing else happens to the instance meanwhile.
 * start begins one under a token that the guest chooses, on any thread; it goes on when handle has returned or perform waits, beside
 * others, and on_complete hears of its end on the instance's thread. Every start that returned 0 is followed by exactly one
 * on_complete: with the result, or with PH2_GIVEN_UP once the event is over, at the latest before the next event or destroy.
 *
 * Memory: what the host passes to a function is valid until that function returns, and what the guest passes is copied before the
 * host returns. There is one exception: the buffer of a perform belongs to the guest until it calls release (ph2_release), or until
 * destroy of its instance has returned. Pointers to bytes have alignment 1. The instance pointer is the guest's own; the host never
 * follows it.
 *
 * Errors: the host hears of a failure as an encoded ErrorV2 (ph2_fail writes one), and tells of one likewise (ph2_error reads it).
 *
 * Nothing may unwind across the border: an exception that gets there ends the process. A child of fork may not call the host.
 *
 * Both tables begin with their size. Ask ph2_has before you use a member of the host's table that a later version appended. */
#ifndef PLAYHOUSE_V2_H
#define PLAYHOUSE_V2_H

#include "playhouse.h"

#ifdef __cplusplus
extern "C" {
#endif

#define PH2_VERSION 2u

/* Return codes of the host's functions, and the status of results, beside those of V1: ACTR_SUCCESS, ACTR_ERROR,
 * ACTR_HANDLE_FAILED (the bytes are an ErrorV2), ACTR_ALLOCATION_FAILED, ACTR_PROTOCOL_ERROR, ACTR_UNSUPPORTED_OP. */
#define PH2_NO_CALL (-8)      /* the call never was, is over, or has been answered */
#define PH2_WRONG_THREAD (-9) /* only the instance's own thread may do this */
#define PH2_LIMIT (-10)       /* too many operations, or bytes, under way or in one event */
#define PH2_GIVEN_UP (-11)    /* the event was over before the operation */

/* Operations beside those of V1: ACTR_OP_CALL, _TELL, _DISCOVER, _REGISTER_STREAM, _UNREGISTER_STREAM, _SEND_DATA_STREAM. */
#define PH2_OP_STATE_GET 16u             /* the key; the result is an EntryV2, empty if there is none */
#define PH2_OP_STATE_WRITE 17u           /* StateWriteV2 */
#define PH2_OP_STATE_COMPARE_AND_SET 18u /* StateCompareAndSetV2; the result is one byte, 0 or 1 */
#define PH2_OP_STATE_SCAN 19u            /* StateScanV2; the result is an EntriesV2 */
#define PH2_OP_TIMER_SET 24u             /* TimerV2 */
#define PH2_OP_TIMER_CANCEL 25u          /* the name */
#define PH2_OP_CRYPTO_PUBLIC_KEY 32u     /* CryptoV2, here and below; the result is bytes */
#define PH2_OP_CRYPTO_SIGN 33u           /* the result is bytes */
#define PH2_OP_CRYPTO_VERIFY 34u         /* the result is one byte, 0 or 1 */
#define PH2_OP_CRYPTO_SEAL 35u           /* the result is bytes */
#define PH2_OP_CRYPTO_OPEN 36u           /* the result is bytes */
#define PH2_OP_CRYPTO_AGREE 37u          /* no result */
#define PH2_OP_CRYPTO_DERIVE 38u         /* no result */
#define PH2_OP_CRYPTO_HASH 39u           /* the result is bytes */
#define PH2_OP_CRYPTO_MAC 40u            /* the result is bytes */
#define PH2_OP_CRYPTO_VERIFY_MAC 41u     /* the result is one byte, 0 or 1 */
#define PH2_OP_CONFIG 48u                /* the name; the result is a MaybeV2 */
#define PH2_OP_SECRET 49u                /* the name; the result is a MaybeV2 */
#define PH2_OP_RANDOM 50u                /* RandomV2; the result is bytes */
#define PH2_OP_NOW 51u                   /* nothing; the result is a TimestampV1 */

/* Kinds of events. */
#define PH2_REQUEST 1u
#define PH2_CHUNK 2u
#define PH2_START 3u
#define PH2_READY 4u
#define PH2_STOP 5u
#define PH2_ERROR 6u
#define PH2_RUNTIME 7u

/* Kinds of errors. */
#define PH2_KIND_UNAVAILABLE 1u
#define PH2_KIND_TIMED_OUT 2u
#define PH2_KIND_NOT_FOUND 3u
#define PH2_KIND_PERMISSION_DENIED 4u
#define PH2_KIND_INVALID_ARGUMENT 5u
#define PH2_KIND_UNKNOWN_ROUTE 6u
#define PH2_KIND_DEPENDENCY_NOT_FOUND 7u
#define PH2_KIND_DECODE_FAILURE 8u
#define PH2_KIND_NOT_IMPLEMENTED 9u
#define PH2_KIND_INTERNAL 10u
#define PH2_KIND_CONNECTION_NOT_READY 11u

/* Log levels. */
#define PH2_TRACE 1u
#define PH2_DEBUG 2u
#define PH2_INFO 3u
#define PH2_WARN 4u
#define PH2_LOG_ERROR 5u

/* What an instance is born with. */
typedef struct ph2_birth {
    size_t size;
    uint64_t call;    /* for log, until create returns */
    ph_bytes self_id; /* an encoded ActrId */
} ph2_birth;

/* What an instance is told. */
typedef struct ph2_event {
    size_t size;
    uint64_t call;        /* the event's name in all that the guest asks and answers */
    int64_t time_left_ms; /* until whoever waits gives up; -1: nobody does */
    uint32_t kind;        /* PH2_REQUEST ... */
    uint32_t hook;        /* of PH2_RUNTIME: ACTR_HOOK_... */
    ph_bytes caller;      /* an encoded ActrId; empty if the embedding application asks; the sender, of a chunk */
    ph_bytes request_id;
    ph_bytes route;       /* of a request */
    ph_bytes payload;     /* of a request: the encoded request message; of a chunk: a DataStream; of PH2_ERROR: an
                           * ErrorEventV2; of PH2_RUNTIME: a RuntimeV2 */
} ph2_event;

/* What an operation came to. */
typedef struct ph2_result {
    int32_t status;
    uint8_t *ptr;
    size_t len;
} ph2_result;

/* What the host offers; valid until the process ends. Every function returns 0 or a negative code. */
typedef struct ph2_host {
    size_t size;
    uint32_t version;
    uint32_t flags;
    /* Answers an event: 0 with the reply, or ACTR_HANDLE_FAILED with an ErrorV2. */
    int32_t (*complete)(uint64_t call, int32_t status, const uint8_t *bytes, size_t len);
    int32_t (*start)(uint64_t call, uint64_t token, uint32_t op, const uint8_t *message, size_t len);
    /* On 0, *reply is filled, whatever its status; otherwise it is left alone. */
    int32_t (*perform)(uint64_t call, uint32_t op, const uint8_t *message, size_t len, ph2_result *reply);
    void (*release)(uint8_t *ptr);
    /* Fields for programs that read the log may follow the words: each is U+001F, a name, = and a value. */
    int32_t (*log)(uint64_t call, uint32_t level, const uint8_t *text, size_t len);
    int64_t (*time_left_ms)(uint64_t call);
} ph2_host;

/* What a guest offers; valid until the process ends. */
typedef struct ph2_guest {
    size_t size;
    uint32_t version;
    uint32_t flags; /* 0 */
    int32_t (*create)(const ph2_birth *birth, void **instance);
    void (*destroy)(void *instance);
    /* 0: it has answered, or will. ACTR_UNSUPPORTED_OP: it does not know such events. Anything else: it failed. */
    int32_t (*handle)(void *instance, const ph2_event *event);
    /* May be NULL if the guest never starts an operation. */
    void (*on_complete)(void *instance, uint64_t token, int32_t status, const uint8_t *bytes, size_t len);
} ph2_guest;

/* What a guest exports: its table, or NULL if it cannot live with this host. */
ACTR_EXPORT const ph2_guest *playhouse_guest_v2(const ph2_host *host);

/* Whether the host's table has a member. */
#define ph2_has(host, member) ((host)->size >= offsetof(ph2_host, member) + sizeof((host)->member))

/* ---------------------------------------------------- Helpers ---------------------------------------------------- */

/* Answers an event well. */
PH_FN int32_t ph2_reply(const ph2_host *host, uint64_t call, ph_bytes payload) {
    return host->complete(call, ACTR_SUCCESS, payload.ptr, payload.len);
}

/* Answers an event with an error of a kind. */
PH_FN int32_t ph2_fail(const ph2_host *host, uint64_t call, uint32_t kind, ph_bytes message) {
    ph_buffer out = PH_BUFFER_EMPTY;
    int32_t code;
    ph_put_number(&out, 1, kind);
    ph_put_bytes(&out, 3, message);
    code = host->complete(call, ACTR_HANDLE_FAILED, out.ptr, out.len);
    ph_discard(&out);
    return code;
}

PH_FN int32_t ph2_unknown_route(const ph2_host *host, const ph2_event *event) {
    return ph2_fail(host, event->call, PH2_KIND_UNKNOWN_ROUTE, event->route);
}

PH_FN int32_t ph2_log(const ph2_host *host, uint64_t call, uint32_t level, const char *text) {
    ph_bytes bytes = ph_text(text);
    return host->log(call, level, bytes.ptr, bytes.len);
}

/* An error that the host told of; every part is empty or 0 where it is unknown. */
typedef struct ph2_error_parts {
    uint32_t kind;
    ph_bytes code; /* such as "mailbox-full" */
    ph_bytes message;
    ph_bytes service;
    uint64_t retry_after_ms;
} ph2_error_parts;

PH_FN ph2_error_parts ph2_error(ph_bytes bytes) {
    ph2_error_parts error;
    error.kind = (uint32_t)ph_get_number(bytes, 1);
    error.code = ph_get(bytes, 2);
    error.message = ph_get(bytes, 3);
    error.service = ph_get(bytes, 4);
    error.retry_after_ms = ph_get_number(bytes, 5);
    return error;
}

PH_FN ph_bytes ph2_bytes(const ph2_result *result) { return ph_slice(result->ptr, result->len); }

PH_FN void ph2_release(const ph2_host *host, ph2_result *result) {
    if (result->ptr != NULL) host->release(result->ptr);
    result->ptr = NULL;
    result->len = 0;
}

/* Carries out an operation and waits. Returns the status of the result, which goes to ph2_release in any case. */
PH_FN int32_t ph2_perform(const ph2_host *host, uint64_t call, uint32_t op, ph_bytes message, ph2_result *result) {
    int32_t code;
    result->status = 0;
    result->ptr = NULL;
    result->len = 0;
    code = host->perform(call, op, message.ptr, message.len, result);
    if (code != 0) result->status = code;
    return result->status;
}

/* As ph2_perform, and discards the message. */
PH_FN int32_t ph2_perform_buffer(const ph2_host *host, uint64_t call, uint32_t op, ph_buffer *message,
                                 ph2_result *result) {
    int32_t status;
    if (message->failed) {
        ph_discard(message);
        result->ptr = NULL;
        result->len = 0;
        return result->status = ACTR_ALLOCATION_FAILED;
    }
    status = ph2_perform(host, call, op, ph_written(message), result);
    ph_discard(message);
    return status;
}

/* As ph2_perform, for operations without a result. */
PH_FN int32_t ph2_do(const ph2_host *host, uint64_t call, uint32_t op, ph_buffer *message) {
    ph2_result result;
    int32_t status = ph2_perform_buffer(host, call, op, message, &result);
    ph2_release(host, &result);
    return status;
}

/* Passes on what went wrong in an operation as the answer to the event. */
PH_FN int32_t ph2_fail_with(const ph2_host *host, uint64_t call, const ph2_result *result) {
    if (result->status == ACTR_HANDLE_FAILED)
        return host->complete(call, ACTR_HANDLE_FAILED, result->ptr, result->len);
    return ph2_fail(host, call, PH2_KIND_INTERNAL, ph_text("the host refused an operation"));
}

/* Sends a request and waits for the reply: ph2_bytes. */
PH_FN int32_t ph2_call(const ph2_host *host, uint64_t call, ph_dest dest, ph_bytes route, ph_bytes payload,
                       ph2_result *result) {
    ph_buffer message = PH_BUFFER_EMPTY;
    ph_put_bytes(&message, 1, route);
    ph_put_dest(&message, 2, dest);
    if (payload.len > 0) ph_put_bytes(&message, 3, payload);
    return ph2_perform_buffer(host, call, ACTR_OP_CALL, &message, result);
}

/* Sends a request whose answer nobody awaits. */
PH_FN int32_t ph2_tell(const ph2_host *host, uint64_t call, ph_dest dest, ph_bytes route, ph_bytes payload) {
    ph_buffer message = PH_BUFFER_EMPTY;
    ph_put_bytes(&message, 1, route);
    ph_put_dest(&message, 2, dest);
    if (payload.len > 0) ph_put_bytes(&message, 3, payload);
    return ph2_do(host, call, ACTR_OP_TELL, &message);
}

/* A value of the state. */
typedef struct ph2_entry {
    int found;
    ph_bytes key;
    ph_bytes value;
    uint64_t version; /* counts the writes of this actor; never 0 */
} ph2_entry;

PH_FN ph2_entry ph2_read_entry(ph_bytes bytes) {
    ph2_entry entry;
    entry.found = bytes.len > 0;
    entry.key = ph_get(bytes, 1);
    entry.value = ph_get(bytes, 2);
    entry.version = ph_get_number(bytes, 3);
    return entry;
}

/* Reads the value of a key: *entry, which lives as long as *result. */
PH_FN int32_t ph2_state_get(const ph2_host *host, uint64_t call, ph_bytes key, ph2_entry *entry, ph2_result *result) {
    int32_t status = ph2_perform(host, call, PH2_OP_STATE_GET, key, result);
    *entry = ph2_read_entry(status == 0 ? ph2_bytes(result) : ph_slice(NULL, 0));
    return status;
}

PH_FN void ph2_put_change(ph_buffer *out, uint32_t number, ph_bytes key, const ph_bytes *value) {
    ph_buffer change = PH_BUFFER_EMPTY;
    ph_put_bytes(&change, 1, key);
    if (value != NULL) ph_put_bytes(&change, 2, *value);
    ph_put_bytes(out, number, ph_written(&change));
    out->failed |= change.failed;
    ph_discard(&change);
}

/* Sets a value. For more than one write that happen together, put several changes into one message. */
PH_FN int32_t ph2_state_set(const ph2_host *host, uint64_t call, ph_bytes key, ph_bytes value, ph2_result *result) {
    ph_buffer message = PH_BUFFER_EMPTY;
    ph2_put_change(&message, 1, key, &value);
    return ph2_perform_buffer(host, call, PH2_OP_STATE_WRITE, &message, result);
}

PH_FN int32_t ph2_state_delete(const ph2_host *host, uint64_t call, ph_bytes key) {
    ph_buffer message = PH_BUFFER_EMPTY;
    ph2_put_change(&message, 1, key, NULL);
    return ph2_do(host, call, PH2_OP_STATE_WRITE, &message);
}

/* Writes a value, or deletes it if value is NULL, if its version is still the expected one, 0 for no value. *done says so. */
PH_FN int32_t ph2_state_compare_and_set(const ph2_host *host, uint64_t call, uint64_t expected, ph_bytes key,
                                        const ph_bytes *value, int *done) {
    ph_buffer message = PH_BUFFER_EMPTY;
    ph2_result result;
    int32_t status;
    if (expected != 0) ph_put_number(&message, 1, expected);
    ph2_put_change(&message, 2, key, value);
    status = ph2_perform_buffer(host, call, PH2_OP_STATE_COMPARE_AND_SET, &message, &result);
    *done = status == 0 && result.len == 1 && result.ptr[0] == 1;
    ph2_release(host, &result);
    return status;
}

/* Reads up to limit values whose keys begin with prefix and come after a key, NULL for the first. The fields 1 of the result are
 * entries for ph2_read_entry; its field 2 is 1 if there are more. */
PH_FN int32_t ph2_state_scan(const ph2_host *host, uint64_t call, ph_bytes prefix, const ph_bytes *after, uint32_t limit,
                             ph2_result *result) {
    ph_buffer message = PH_BUFFER_EMPTY;
    ph_put_bytes(&message, 1, prefix);
    if (after != NULL) ph_put_bytes(&message, 2, *after);
    ph_put_number(&message, 3, limit);
    return ph2_perform_buffer(host, call, PH2_OP_STATE_SCAN, &message, result);
}

/* How often a timer fires. */
typedef enum ph2_schedule { PH2_AFTER = 4, PH2_EVERY = 6 } ph2_schedule;

/* Sets a timer, which replaces one of the same name: it sends this actor a request. */
PH_FN int32_t ph2_timer_set(const ph2_host *host, uint64_t call, ph_bytes name, ph2_schedule schedule, uint64_t ms,
                            ph_bytes route, ph_bytes payload, ph2_result *result) {
    ph_buffer message = PH_BUFFER_EMPTY, time = PH_BUFFER_EMPTY;
    ph_put_bytes(&message, 1, name);
    ph_put_bytes(&message, 2, route);
    if (payload.len > 0) ph_put_bytes(&message, 3, payload);
    ph_put_number(&time, 1, ms / 1000);
    ph_put_number(&time, 2, ms % 1000 * 1000000);
    ph_put_bytes(&message, (uint32_t)schedule, ph_written(&time));
    message.failed |= time.failed;
    ph_discard(&time);
    return ph2_perform_buffer(host, call, PH2_OP_TIMER_SET, &message, result);
}

PH_FN int32_t ph2_timer_cancel(const ph2_host *host, uint64_t call, ph_bytes name) {
    ph2_result result;
    int32_t status = ph2_perform(host, call, PH2_OP_TIMER_CANCEL, name, &result);
    ph2_release(host, &result);
    return status;
}

/* Bytes that nobody can predict: ph2_bytes. */
PH_FN int32_t ph2_random(const ph2_host *host, uint64_t call, uint32_t count, ph2_result *result) {
    ph_buffer message = PH_BUFFER_EMPTY;
    ph_put_number(&message, 1, count);
    return ph2_perform_buffer(host, call, PH2_OP_RANDOM, &message, result);
}

/* The time of day in milliseconds since the Unix epoch. */
PH_FN int32_t ph2_now_ms(const ph2_host *host, uint64_t call, uint64_t *ms) {
    ph2_result result;
    int32_t status = ph2_perform(host, call, PH2_OP_NOW, ph_slice(NULL, 0), &result);
    *ms = ph_get_number(ph2_bytes(&result), 1) * 1000 + ph_get_number(ph2_bytes(&result), 2) / 1000000;
    ph2_release(host, &result);
    return status;
}

/* A setting, or with PH2_OP_SECRET a secret: *value, which lives as long as *result; *found says whether there is one. */
PH_FN int32_t ph2_setting(const ph2_host *host, uint64_t call, uint32_t op, ph_bytes name, int *found, ph_bytes *value,
                          ph2_result *result) {
    ph_field field;
    int32_t status = ph2_perform(host, call, op, name, result);
    *found = status == 0 && ph_find(ph2_bytes(result), 1, &field) == 1;
    *value = *found ? field.bytes : ph_slice(NULL, 0);
    return status;
}

/* An operation with a key: the fields of CryptoV2 that are not empty. */
typedef struct ph2_crypto {
    ph_bytes key;     /* 1: its name */
    ph_bytes data;    /* 2: the message, plaintext, ciphertext or peer's public key */
    ph_bytes context; /* 3 */
    ph_bytes into;    /* 4: the name of the new key */
    ph_bytes proof;   /* 5: the signature or tag to verify */
    ph_bytes public_key; /* 6: to verify a signature */
    uint32_t choice;  /* 7: of PUBLIC_KEY 1 = sign, 2 = agree; of HASH 1 = SHA-256, 2 = SHA-512 */
} ph2_crypto;

PH_FN int32_t ph2_crypto_do(const ph2_host *host, uint64_t call, uint32_t op, const ph2_crypto *with,
                            ph2_result *result) {
    ph_buffer message = PH_BUFFER_EMPTY;
    if (with->key.len > 0) ph_put_bytes(&message, 1, with->key);
    if (with->data.len > 0) ph_put_bytes(&message, 2, with->data);
    if (with->context.len > 0) ph_put_bytes(&message, 3, with->context);
    if (with->into.len > 0) ph_put_bytes(&message, 4, with->into);
    if (with->proof.len > 0) ph_put_bytes(&message, 5, with->proof);
    if (with->public_key.len > 0) ph_put_bytes(&message, 6, with->public_key);
    if (with->choice != 0) ph_put_number(&message, 7, with->choice);
    return ph2_perform_buffer(host, call, op, &message, result);
}

#ifdef __cplusplus
}
#endif
#endif
