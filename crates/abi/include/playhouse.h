/* playhouse.h: the ABI of native guests (dynclib ABI V1 of actr 0.3) in C99, and helpers to write a guest without a
 * protobuf library.
 *
 * A guest is a shared library that exports actr_init, actr_handle and actr_free_response:
 *
 *     cc -std=c99 -shared -fPIC -O2 -I include guest.c -o guest.so
 *
 * The host calls actr_init once and then actr_handle for one event at a time, from a thread that may block. From inside
 * actr_handle, on its thread, the guest may call invoke. Whoever allocates a buffer releases it: the host gives replies
 * back with actr_free_response, the guest gives the output of invoke back with free_host_buf, each exactly once and with
 * the very pointer and length received. Nothing may unwind across the border.
 *
 * The helpers below the line "Helpers" are optional. They use PH_ALLOC and PH_FREE, by default malloc and free. */
#ifndef PLAYHOUSE_H
#define PLAYHOUSE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(_WIN32)
#define ACTR_EXPORT __declspec(dllexport)
#elif defined(__GNUC__)
#define ACTR_EXPORT __attribute__((visibility("default")))
#else
#define ACTR_EXPORT
#endif

/* abi_version of every frame and reply. */
#define ACTR_ABI_VERSION 1u

/* Operations that a guest asks of its host with invoke. */
#define ACTR_OP_CALL 1u
#define ACTR_OP_TELL 2u
#define ACTR_OP_CALL_RAW 3u
#define ACTR_OP_DISCOVER 4u
#define ACTR_OP_REGISTER_STREAM 5u
#define ACTR_OP_UNREGISTER_STREAM 6u
#define ACTR_OP_SEND_DATA_STREAM 7u

/* Operations that a host asks of a guest with actr_handle. */
#define ACTR_OP_GUEST_HANDLE 101u
#define ACTR_OP_GUEST_DATA_STREAM 102u
#define ACTR_OP_GUEST_LIFECYCLE 103u
#define ACTR_OP_GUEST_HOOK 104u

/* Return codes, and the status of replies. */
#define ACTR_SUCCESS 0
#define ACTR_ERROR (-1)
#define ACTR_INIT_FAILED (-2)
#define ACTR_HANDLE_FAILED (-3)
#define ACTR_ALLOCATION_FAILED (-4)
#define ACTR_PROTOCOL_ERROR (-5)
#define ACTR_BUFFER_TOO_SMALL (-6)
#define ACTR_UNSUPPORTED_OP (-7)

/* Numbers in GUEST_LIFECYCLE. */
#define ACTR_ON_START 1u
#define ACTR_ON_READY 2u
#define ACTR_ON_STOP 3u

/* Numbers in GUEST_HOOK. */
#define ACTR_HOOK_SIGNALING_CONNECTING 1u
#define ACTR_HOOK_SIGNALING_CONNECTED 2u
#define ACTR_HOOK_SIGNALING_DISCONNECTED 3u
#define ACTR_HOOK_WEBSOCKET_CONNECTING 4u
#define ACTR_HOOK_WEBSOCKET_CONNECTED 5u
#define ACTR_HOOK_WEBSOCKET_DISCONNECTED 6u
#define ACTR_HOOK_WEBRTC_CONNECTING 7u
#define ACTR_HOOK_WEBRTC_CONNECTED 8u
#define ACTR_HOOK_WEBRTC_DISCONNECTED 9u
#define ACTR_HOOK_CREDENTIAL_RENEWED 10u
#define ACTR_HOOK_CREDENTIAL_EXPIRING 11u
#define ACTR_HOOK_MAILBOX_BACKPRESSURE 12u

/* Classes of a chunk. */
#define ACTR_STREAM_RELIABLE 2u
#define ACTR_STREAM_LATENCY_FIRST 3u

/* What the host offers. The table stays valid until the process ends. */
typedef struct HostVTable {
    /* Carries out the operation in an encoded AbiFrame. On 0, *out and *out_len hold an encoded AbiReply that the guest
     * gives back with free_host_buf. On anything else they are untouched. */
    int32_t (*invoke)(const uint8_t *frame, size_t frame_len, uint8_t **out, size_t *out_len);
    void (*free_host_buf)(uint8_t *ptr, size_t len);
} HostVTable;

/* What the host offers to a guest that also exports actr_shutdown (actr 0.4 and 0.5): define PLAYHOUSE_CONTEXTS before
 * including this header. Such a guest may call invoke from threads of its own, also after actr_handle has returned, as
 * long as it retains the context whose token came with the event. */
typedef struct ContextVTable {
    int32_t (*retain_context)(uint64_t token); /* 0, or -1 for an unknown token */
    void (*release_context)(uint64_t token);
    int32_t (*invoke)(uint64_t token, const uint8_t *frame, size_t frame_len, uint8_t **out, size_t *out_len);
    void (*free_host_buf)(uint8_t *ptr, size_t len);
} ContextVTable;

#ifdef PLAYHOUSE_CONTEXTS
typedef ContextVTable ActrVTable;
/* Stops the guest's threads. 0: the library may be unmapped; anything else: it stays mapped for ever. */
ACTR_EXPORT int32_t actr_shutdown(void);
#else
typedef HostVTable ActrVTable;
#endif

/* What a guest exports. */
ACTR_EXPORT int32_t actr_init(const ActrVTable *vtable, const uint8_t *init, size_t init_len);
ACTR_EXPORT int32_t actr_handle(const uint8_t *req, size_t req_len, uint8_t **resp, size_t *resp_len);
ACTR_EXPORT void actr_free_response(uint8_t *ptr, size_t len);

/* ---------------------------------------------------- Helpers ---------------------------------------------------- */

#ifndef PH_ALLOC
#include <stdlib.h>
#define PH_ALLOC(size) malloc(size)
#define PH_FREE(ptr) free(ptr)
#endif

#if defined(__GNUC__)
#define PH_UNUSED __attribute__((unused))
#else
#define PH_UNUSED
#endif
#define PH_FN static PH_UNUSED

/* Bytes that belong to somebody else. ptr may be null if len is 0. */
typedef struct ph_bytes {
    const uint8_t *ptr;
    size_t len;
} ph_bytes;

PH_FN ph_bytes ph_slice(const void *ptr, size_t len) {
    ph_bytes bytes;
    bytes.ptr = (const uint8_t *)ptr;
    bytes.len = len;
    return bytes;
}

PH_FN ph_bytes ph_text(const char *text) {
    size_t len = 0;
    while (text[len] != 0) len++;
    return ph_slice(text, len);
}

PH_FN int ph_equal(ph_bytes a, ph_bytes b) {
    size_t i;
    if (a.len != b.len) return 0;
    for (i = 0; i < a.len; i++)
        if (a.ptr[i] != b.ptr[i]) return 0;
    return 1;
}

/* Reading protobuf: call ph_next until it returns 0 (the end) or -1 (not protobuf). */
typedef struct ph_field {
    uint32_t number;  /* the field's number */
    uint64_t value;   /* of a number */
    ph_bytes bytes;   /* of a string, bytes or message */
} ph_field;

PH_FN int ph_varint(ph_bytes *in, uint64_t *value) {
    unsigned shift = 0;
    *value = 0;
    while (in->len > 0 && shift < 70) {
        uint8_t byte = *in->ptr++;
        in->len--;
        if (shift == 63 && byte > 1) return -1;
        *value |= (uint64_t)(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0) return 0;
        shift += 7;
    }
    return -1;
}

PH_FN int ph_next(ph_bytes *in, ph_field *field) {
    uint64_t key, len = 0;
    if (in->len == 0) return 0;
    if (ph_varint(in, &key) != 0 || (key >> 3) == 0 || (key >> 3) > 0x1fffffff) return -1;
    field->number = (uint32_t)(key >> 3);
    field->value = 0;
    field->bytes = ph_slice(NULL, 0);
    switch (key & 7) {
    case 0: return ph_varint(in, &field->value) == 0 ? 1 : -1;
    case 1: len = 8; break;
    case 2: if (ph_varint(in, &len) != 0) return -1; break;
    case 5: len = 4; break;
    default: return -1;
    }
    if (len > in->len) return -1;
    field->bytes = ph_slice(in->ptr, (size_t)len);
    in->ptr += len;
    in->len -= (size_t)len;
    return 1;
}

/* Finds the last field with a number: 1 if it is there, 0 if not, -1 if the bytes are not protobuf. */
PH_FN int ph_find(ph_bytes in, uint32_t number, ph_field *found) {
    ph_field field;
    int more, seen = 0;
    while ((more = ph_next(&in, &field)) == 1) {
        if (field.number == number) {
            *found = field;
            seen = 1;
        }
    }
    return more < 0 ? -1 : seen;
}

/* The bytes of a field; empty if it is absent. */
PH_FN ph_bytes ph_get(ph_bytes in, uint32_t number) {
    ph_field field;
    return ph_find(in, number, &field) == 1 ? field.bytes : ph_slice(NULL, 0);
}

/* The number in a field; 0 if it is absent. */
PH_FN uint64_t ph_get_number(ph_bytes in, uint32_t number) {
    ph_field field;
    return ph_find(in, number, &field) == 1 ? field.value : 0;
}

/* Writing protobuf into a buffer that grows. After a failed allocation, failed is set and nothing more is written. */
typedef struct ph_buffer {
    uint8_t *ptr;
    size_t len;
    size_t capacity;
    int failed;
} ph_buffer;

#define PH_BUFFER_EMPTY {NULL, 0, 0, 0}

PH_FN void ph_copy(uint8_t *to, const uint8_t *from, size_t len) {
#if defined(__GNUC__)
    if (len > 0) __builtin_memcpy(to, from, len);
#else
    size_t i;
    for (i = 0; i < len; i++) to[i] = from[i];
#endif
}

/* Makes room for len more bytes. Returns 0, or -1 and sets failed. */
PH_FN int ph_reserve(ph_buffer *out, size_t len) {
    size_t capacity;
    uint8_t *ptr;
    if (out->failed) return -1;
    if (out->capacity - out->len >= len) return 0;
    capacity = out->len + len + (out->len > 0 ? out->len + 32 : 0);
    ptr = capacity > out->len ? (uint8_t *)PH_ALLOC(capacity) : NULL;
    if (ptr == NULL) {
        out->failed = 1;
        return -1;
    }
    ph_copy(ptr, out->ptr, out->len);
    if (out->ptr != NULL) PH_FREE(out->ptr);
    out->ptr = ptr;
    out->capacity = capacity;
    return 0;
}

PH_FN void ph_raw(ph_buffer *out, ph_bytes bytes) {
    if (ph_reserve(out, bytes.len) != 0) return;
    ph_copy(out->ptr + out->len, bytes.ptr, bytes.len);
    out->len += bytes.len;
}

PH_FN void ph_put_varint(ph_buffer *out, uint64_t value) {
    uint8_t bytes[10];
    size_t len = 0;
    while (value >= 0x80) {
        bytes[len++] = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    bytes[len++] = (uint8_t)value;
    ph_raw(out, ph_slice(bytes, len));
}

PH_FN void ph_put_number(ph_buffer *out, uint32_t number, uint64_t value) {
    ph_put_varint(out, (uint64_t)number << 3);
    ph_put_varint(out, value);
}

PH_FN void ph_put_bytes(ph_buffer *out, uint32_t number, ph_bytes bytes) {
    ph_put_varint(out, (uint64_t)number << 3 | 2);
    ph_put_varint(out, bytes.len);
    ph_raw(out, bytes);
}

PH_FN ph_bytes ph_written(const ph_buffer *out) { return ph_slice(out->ptr, out->len); }

PH_FN void ph_discard(ph_buffer *out) {
    if (out->ptr != NULL) PH_FREE(out->ptr);
    out->ptr = NULL;
    out->len = out->capacity = 0;
}

/* What actr_handle was given. */
typedef struct ph_event {
    uint32_t op;        /* ACTR_OP_GUEST_... */
    ph_bytes message;   /* the operation's message */
    ph_bytes self_id;   /* an encoded ActrId; empty for chunks */
    ph_bytes caller_id; /* an encoded ActrId; empty if the embedding application asks; the sender, of a chunk */
    ph_bytes request_id;
    ph_bytes route;     /* of a request */
    ph_bytes payload;   /* of a request: the encoded request message; of a chunk: the data */
    ph_bytes stream_id; /* of a chunk */
    uint64_t sequence;  /* of a chunk */
    uint32_t hook;      /* of a lifecycle step or a hook */
    uint64_t token;     /* of the context, for guests that export actr_shutdown */
} ph_event;

/* Takes a request of actr_handle apart. Returns 0, or the code that actr_handle should return. */
PH_FN int32_t ph_read_event(const uint8_t *req, size_t req_len, ph_event *event) {
    static ph_event empty; /* all zero */
    ph_bytes frame = ph_slice(req, req_len), context;
    ph_field field;
    *event = empty;
    if (req == NULL || ph_find(frame, 1, &field) < 0) return ACTR_PROTOCOL_ERROR;
    event->op = (uint32_t)ph_get_number(frame, 2);
    event->message = ph_get(frame, 3);
    if (ph_find(event->message, 1, &field) < 0) return ACTR_PROTOCOL_ERROR;
    if (event->op == ACTR_OP_GUEST_DATA_STREAM) {
        ph_bytes chunk = ph_get(event->message, 1);
        event->caller_id = ph_get(event->message, 2);
        event->stream_id = ph_get(chunk, 1);
        event->sequence = ph_get_number(chunk, 2);
        event->payload = ph_get(chunk, 3);
        event->token = ph_get_number(event->message, 3);
        return ACTR_SUCCESS;
    }
    context = ph_get(event->message, 1);
    event->token = ph_get_number(event->message, event->op == ACTR_OP_GUEST_HOOK ? 6 : 3);
    event->self_id = ph_get(context, 1);
    event->caller_id = ph_get(context, 2);
    event->request_id = ph_get(context, 3);
    if (event->op == ACTR_OP_GUEST_HANDLE) {
        ph_bytes envelope = ph_get(event->message, 2);
        event->route = ph_get(envelope, 1);
        event->payload = ph_get(envelope, 2);
    } else {
        event->hook = (uint32_t)ph_get_number(event->message, 2);
    }
    return ACTR_SUCCESS;
}

/* Answers actr_handle with an AbiReply in a buffer from PH_ALLOC, which actr_free_response gives to PH_FREE. Returns what
 * actr_handle should return. For ACTR_HANDLE_FAILED the payload is the error's text, such as "unknown route: x.Y.Z". */
PH_FN int32_t ph_reply(int32_t status, ph_bytes payload, uint8_t **resp, size_t *resp_len) {
    ph_buffer out = PH_BUFFER_EMPTY;
    /* Two numbers take 13 bytes at most, the head of the payload 11. */
    ph_reserve(&out, payload.len + 24);
    ph_put_number(&out, 1, ACTR_ABI_VERSION);
    if (status != 0) ph_put_number(&out, 2, (uint64_t)(int64_t)status);
    if (payload.len > 0) ph_put_bytes(&out, 3, payload);
    if (out.failed) {
        ph_discard(&out);
        return ACTR_ERROR;
    }
    *resp = out.ptr;
    *resp_len = out.len;
    return ACTR_SUCCESS;
}

PH_FN int32_t ph_ok(uint8_t **resp, size_t *resp_len) {
    return ph_reply(ACTR_SUCCESS, ph_slice(NULL, 0), resp, resp_len);
}

PH_FN int32_t ph_fail(const char *text, uint8_t **resp, size_t *resp_len) {
    return ph_reply(ACTR_HANDLE_FAILED, ph_text(text), resp, resp_len);
}

/* Answers that the actor has no such method. */
PH_FN int32_t ph_unknown_route(const ph_event *event, uint8_t **resp, size_t *resp_len) {
    ph_buffer text = PH_BUFFER_EMPTY;
    int32_t code;
    ph_raw(&text, ph_text("unknown route: "));
    ph_raw(&text, event->route);
    code = ph_reply(ACTR_HANDLE_FAILED, ph_written(&text), resp, resp_len);
    ph_discard(&text);
    return code;
}

/* What a host operation came to. Give it to ph_release when done with payload. */
typedef struct ph_result {
    int32_t status;   /* 0, or what went wrong */
    ph_bytes payload; /* the result, or an error's text */
    uint8_t *buffer;
    size_t buffer_len;
} ph_result;

/* The host as the helpers see it: the table, and the context where the table has contexts. */
#ifdef PLAYHOUSE_CONTEXTS
typedef struct ph_host {
    const ContextVTable *table;
    uint64_t token;
} ph_host;
#define PH_INVOKE(host, frame, len, out, out_len) (host)->table->invoke((host)->token, frame, len, out, out_len)
#define PH_TAKE_BACK(host, ptr, len) (host)->table->free_host_buf(ptr, len)
#else
typedef HostVTable ph_host;
#define PH_INVOKE(host, frame, len, out, out_len) (host)->invoke(frame, len, out, out_len)
#define PH_TAKE_BACK(host, ptr, len) (host)->free_host_buf(ptr, len)
#endif

PH_FN void ph_release(const ph_host *host, ph_result *result) {
    if (result->buffer != NULL && result->buffer_len > 0) PH_TAKE_BACK(host, result->buffer, result->buffer_len);
    result->buffer = NULL;
    result->buffer_len = 0;
    result->payload = ph_slice(NULL, 0);
}

/* Asks the host for an operation; message is encoded. Returns result->status. */
PH_FN int32_t ph_invoke(const ph_host *host, uint32_t op, ph_bytes message, ph_result *result) {
    ph_buffer frame = PH_BUFFER_EMPTY;
    ph_bytes reply;
    result->payload = ph_slice(NULL, 0);
    result->buffer = NULL;
    result->buffer_len = 0;
    ph_reserve(&frame, message.len + 24);
    ph_put_number(&frame, 1, ACTR_ABI_VERSION);
    ph_put_number(&frame, 2, op);
    if (message.len > 0) ph_put_bytes(&frame, 3, message);
    result->status = frame.failed ? ACTR_ALLOCATION_FAILED
                                  : PH_INVOKE(host, frame.ptr, frame.len, &result->buffer, &result->buffer_len);
    ph_discard(&frame);
    if (result->status != ACTR_SUCCESS) return result->status;
    reply = ph_slice(result->buffer, result->buffer_len);
    result->status = (int32_t)ph_get_number(reply, 2);
    result->payload = ph_get(reply, 3);
    return result->status;
}

/* Where a message goes. */
typedef enum ph_dest_kind { PH_SHELL = 1, PH_LOCAL = 2, PH_ACTOR = 3 } ph_dest_kind;
typedef struct ph_dest {
    ph_dest_kind kind;
    ph_bytes actor; /* an encoded ActrId, for PH_ACTOR */
} ph_dest;

PH_FN ph_dest ph_shell(void) {
    ph_dest dest;
    dest.kind = PH_SHELL;
    dest.actor = ph_slice(NULL, 0);
    return dest;
}

PH_FN ph_dest ph_actor(ph_bytes actor_id) {
    ph_dest dest;
    dest.kind = PH_ACTOR;
    dest.actor = actor_id;
    return dest;
}

PH_FN void ph_put_dest(ph_buffer *out, uint32_t number, ph_dest dest) {
    ph_buffer inner = PH_BUFFER_EMPTY;
    if (dest.kind == PH_ACTOR)
        ph_put_bytes(&inner, 3, dest.actor);
    else
        ph_put_number(&inner, (uint32_t)dest.kind, 1);
    ph_put_bytes(out, number, ph_written(&inner));
    out->failed |= inner.failed;
    ph_discard(&inner);
}

PH_FN int32_t ph_send(const ph_host *host, uint32_t op, ph_dest dest, ph_bytes route, ph_bytes payload,
                      ph_result *result) {
    ph_buffer message = PH_BUFFER_EMPTY;
    int32_t status;
    ph_put_bytes(&message, 1, route);
    ph_put_dest(&message, 2, dest);
    if (payload.len > 0) ph_put_bytes(&message, 3, payload);
    status = ph_invoke(host, op, ph_written(&message), result);
    ph_discard(&message);
    return status;
}

/* Sends a request and waits for the reply, which is result->payload. */
PH_FN int32_t ph_call(const ph_host *host, ph_dest dest, ph_bytes route, ph_bytes payload, ph_result *result) {
    return ph_send(host, ACTR_OP_CALL, dest, route, payload, result);
}

/* Sends a request whose answer nobody awaits. */
PH_FN int32_t ph_tell(const ph_host *host, ph_dest dest, ph_bytes route, ph_bytes payload, ph_result *result) {
    return ph_send(host, ACTR_OP_TELL, dest, route, payload, result);
}

/* Finds an actor of exactly that type; result->payload is its encoded ActrId. */
PH_FN int32_t ph_discover(const ph_host *host, ph_bytes manufacturer, ph_bytes name, ph_bytes version,
                          ph_result *result) {
    ph_buffer type = PH_BUFFER_EMPTY, message = PH_BUFFER_EMPTY;
    int32_t status;
    ph_put_bytes(&type, 1, manufacturer);
    ph_put_bytes(&type, 2, name);
    ph_put_bytes(&type, 3, version);
    ph_put_bytes(&message, 1, ph_written(&type));
    status = ph_invoke(host, ACTR_OP_DISCOVER, ph_written(&message), result);
    ph_discard(&type);
    ph_discard(&message);
    return status;
}

/* Has chunks of a stream delivered from now on, or no more; op is ACTR_OP_REGISTER_STREAM or ACTR_OP_UNREGISTER_STREAM. */
PH_FN int32_t ph_stream(const ph_host *host, uint32_t op, ph_bytes stream_id, ph_result *result) {
    ph_buffer message = PH_BUFFER_EMPTY;
    int32_t status;
    ph_put_bytes(&message, 1, stream_id);
    status = ph_invoke(host, op, ph_written(&message), result);
    ph_discard(&message);
    return status;
}

/* Sends one chunk. */
PH_FN int32_t ph_send_chunk(const ph_host *host, ph_dest dest, ph_bytes stream_id, uint64_t sequence, ph_bytes data,
                            uint32_t payload_class, ph_result *result) {
    ph_buffer chunk = PH_BUFFER_EMPTY, message = PH_BUFFER_EMPTY;
    int32_t status;
    ph_put_bytes(&chunk, 1, stream_id);
    ph_put_number(&chunk, 2, sequence);
    ph_put_bytes(&chunk, 3, data);
    ph_put_dest(&message, 1, dest);
    ph_put_bytes(&message, 2, ph_written(&chunk));
    ph_put_number(&message, 3, payload_class);
    status = ph_invoke(host, ACTR_OP_SEND_DATA_STREAM, ph_written(&message), result);
    ph_discard(&chunk);
    ph_discard(&message);
    return status;
}

#ifdef __cplusplus
}
#endif
#endif
